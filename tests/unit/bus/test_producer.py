"""Sending again, and to whom nobody can be reached."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from shared.bus.faults import BusRefused, BusUnavailable
from shared.bus.producer import RecordProducer, RecordTooLarge, Undeliverable


class Line(RecordProducer):
    """A producer whose every send goes as the test says; topics have two partitions."""

    def __init__(self, *outcomes: Callable[[], None]) -> None:
        super().__init__("127.0.0.1:1", client_id="test")
        self.outcomes = list(outcomes)
        self.sent: list[tuple[str, int | None]] = []

    async def partitions(self, topic: str) -> int:
        if topic == "unknown":
            raise BusUnavailable(f"there is no topic {topic}")
        return 2

    async def send(  # type: ignore[override]
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> None:
        if self.outcomes:
            self.outcomes.pop(0)()
        self.sent.append((topic, partition))


def down() -> None:
    raise BusUnavailable("the broker is down")


def refused() -> None:
    raise BusRefused("no right to write that")


def too_large() -> None:
    raise RecordTooLarge("by far")


async def reply(line: Line, topic: str = "replies", *, partition: int | None = None) -> None:
    await line.send_within(5, topic, value=b"", headers=(), partition=partition)


async def test_a_record_is_sent_again_until_kafka_has_it() -> None:
    line = Line(down, down, down)
    await line.send_until_acknowledged("topic", key=None, value=None)
    assert line.sent == [("topic", None)]
    assert asyncio.get_running_loop().time() == pytest.approx(3)


async def test_a_record_that_is_too_large_is_not_sent_again() -> None:
    with pytest.raises(RecordTooLarge):
        await Line(down, too_large).send_until_acknowledged("topic", key=None, value=None)


async def test_a_record_that_may_not_be_written_is_not_sent_again() -> None:
    with pytest.raises(BusRefused):
        await Line(down, refused).send_until_acknowledged("topic", key=None, value=None)


async def test_a_caller_whose_topic_may_not_be_written_is_one_that_cannot_be_reached() -> None:
    with pytest.raises(Undeliverable):
        await reply(Line(refused))


@pytest.mark.parametrize("partition", [None, 0, 1])
async def test_a_reply_goes_to_the_partition_that_was_named(partition: int | None) -> None:
    line = Line()
    await reply(line, partition=partition)
    assert line.sent == [("replies", partition)]


@pytest.mark.parametrize("partition", [2, 2**31])
async def test_a_partition_that_does_not_exist_cannot_be_delivered_to(partition: int) -> None:
    with pytest.raises(Undeliverable, match="2 partitions"):
        await reply(Line(), partition=partition)


@pytest.mark.parametrize("fault", [down, too_large])
async def test_what_keeps_a_reply_from_its_reader_is_told_at_once(fault: Callable[[], None]) -> None:
    with pytest.raises(Undeliverable):
        await reply(Line(fault))


async def test_a_topic_that_does_not_exist_cannot_be_delivered_to() -> None:
    with pytest.raises(Undeliverable):
        await reply(Line(), "unknown", partition=0)


async def test_a_reply_is_given_up_in_time() -> None:
    class Slow(Line):
        async def partitions(self, topic: str) -> int:
            await asyncio.sleep(3600)
            return 2

    with pytest.raises(Undeliverable):
        await reply(Slow(), partition=0)
    assert asyncio.get_running_loop().time() == pytest.approx(5)


async def test_a_producer_that_was_not_started_says_so() -> None:
    with pytest.raises(RuntimeError, match="context manager"):
        await RecordProducer("127.0.0.1:1", client_id="test").send("topic", key=None, value=None)
