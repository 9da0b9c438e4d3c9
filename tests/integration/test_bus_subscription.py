"""A worker's subscription, as FastStream and aiokafka really deliver it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from services.indexer.settings import IndexerSettings
from shared.bus.broker import WorkerBroker
from shared.bus.consumer import Record, Subscription
from shared.bus.contracts import FEATURES
from shared.bus.producer import RecordProducer
from shared.runtime.server import Stop
from tests.fakes.kafka_topics import COMPACTED_AT_ONCE, create_topic
from tests.harness.group import GroupState, group_state
from tests.harness.kafka import Broker

PATIENCE_S = 30.0
POLL_INTERVAL_S = 5.0
SESSION_TIMEOUT_S = 6.0


class Member:
    """A member of the group, which keeps what it is given."""

    def __init__(self, kafka: Broker, topic: str, *, max_records: int = 100, instance: str = "") -> None:
        self.stop = Stop()
        self.group = f"{topic}.group"
        self.records: asyncio.Queue[Record] = asyncio.Queue()
        self.revoked: list[set[int]] = []
        self.on_batch: Callable[[Sequence[Record]], Awaitable[None]] = self._keep
        self.broker = WorkerBroker(kafka.bootstrap_servers, name="test", stop=self.stop, registry=CollectorRegistry())
        self.subscription = Subscription(
            self.broker,
            topic,
            group=self.group,
            title="Test",
            handle=self._handle,
            contract=FEATURES,
            max_records=max_records,
            settings=IndexerSettings.model_validate(
                {
                    "instance_id": instance or None,
                    "KAFKA_SESSION_TIMEOUT_MS": int(1000 * SESSION_TIMEOUT_S),
                    "KAFKA_MAX_POLL_INTERVAL_MS": int(1000 * POLL_INTERVAL_S),
                }
            ),
            revoked=self._note,
        )

    async def _note(self, partitions: set[int]) -> None:
        self.revoked.append(partitions)

    async def _handle(self, batch: Sequence[Record]) -> None:
        await self.on_batch(batch)

    async def _keep(self, batch: Sequence[Record]) -> None:
        for record in batch:
            self.records.put_nowait(record)

    async def next_value(self) -> bytes | None:
        async with asyncio.timeout(PATIENCE_S):
            value: bytes | None = (await self.records.get()).value
            return value

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Member"]:
        await self.broker.start()
        try:
            yield self
        finally:
            await self.broker.stop()


@pytest.fixture
async def topic(kafka: Broker, unique_namespace: str) -> str:
    await create_topic(kafka.bootstrap_servers, unique_namespace)
    return unique_namespace


@pytest.fixture
async def producer(kafka: Broker) -> AsyncIterator[RecordProducer]:
    async with RecordProducer(kafka.bootstrap_servers, client_id="test", linger_ms=20) as producer:
        yield producer


async def send(producer: RecordProducer, topic: str, *values: bytes, key: bytes | None = None) -> None:
    for value in values:
        await producer.send(topic, key=key, value=value)


async def test_records_are_delivered_from_the_first_whatever_their_headers_hold(
    kafka: Broker, topic: str, producer: RecordProducer
) -> None:
    headers = [("reply_to", b"nowhere"), ("correlation_id", b"\xff\xfe"), ("content-type", b"\x80")]
    await producer.send(topic, key=b"k", value=b"\xffno text", headers=headers)
    async with Member(kafka, topic).running() as member, asyncio.timeout(PATIENCE_S):
        record = await member.records.get()
    assert (record.value, list(record.headers)) == (b"\xffno text", headers)
    assert member.stop.status == 0


async def test_the_group_goes_on_from_what_was_committed(kafka: Broker, topic: str, producer: RecordProducer) -> None:
    await send(producer, topic, b"0", b"1", b"2")
    async with Member(kafka, topic).running() as first:
        assert [await first.next_value() for _ in range(3)] == [b"0", b"1", b"2"]
        assert await first.subscription.commit({0: 2})
    async with Member(kafka, topic).running() as second:
        assert await second.next_value() == b"2"


async def test_what_is_not_assigned_is_not_committed(kafka: Broker, topic: str, producer: RecordProducer) -> None:
    await send(producer, topic, b"0")
    async with Member(kafka, topic).running() as member:
        await member.next_value()
        assert not await member.subscription.commit({7: 1})
        assert await member.subscription.position(7) == -1


async def test_a_seek_has_records_delivered_again(kafka: Broker, topic: str, producer: RecordProducer) -> None:
    await send(producer, topic, b"0", b"1")
    async with Member(kafka, topic).running() as member:
        assert [await member.next_value() for _ in range(2)] == [b"0", b"1"]
        assert (member.subscription.assigned(), await member.subscription.position(0)) == ({0}, 2)
        assert await member.subscription.end(0) == 2
        assert await member.subscription.ends([0]) == {0: 2}
        assert member.subscription.taken_ms(0) == pytest.approx(time.time() * 1000, abs=60_000)
        member.subscription.seek(0, 1)
        assert await member.next_value() == b"1"


async def test_a_second_member_takes_partitions_over_and_the_first_is_told(kafka: Broker, topic: str) -> None:
    async with Member(kafka, topic).running() as first, asyncio.timeout(PATIENCE_S):
        await until_it_has(1, first)
        first.revoked.clear()
        async with Member(kafka, topic).running():
            while not first.revoked:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert {0} in first.revoked


@pytest.mark.durable
async def test_a_static_member_that_is_soon_back_has_its_partitions_again_and_nobody_is_disturbed(
    kafka: Broker, unique_namespace: str
) -> None:
    await create_topic(kafka.bootstrap_servers, unique_namespace, partitions=2)
    first, second = (Member(kafka, unique_namespace, instance=name) for name in ("first", "second"))
    async with first.running(), asyncio.timeout(PATIENCE_S):
        async with second.running():
            await until_it_has(1, first)
            before = await group_state(kafka.bootstrap_servers, second.group)
            first.revoked.clear()
        async with Member(kafka, unique_namespace, instance="second").running() as again:
            await until_it_has(1, again)
            after = await group_state(kafka.bootstrap_servers, second.group)
    assert first.revoked == []
    assert before == after == GroupState(before.generation, {"first": {0}, "second": {1}})


@pytest.mark.parametrize("instance", ["", "second"], ids=["dynamic", "static"])
async def test_a_member_that_leaves_is_followed_at_once(kafka: Broker, unique_namespace: str, instance: str) -> None:
    await create_topic(kafka.bootstrap_servers, unique_namespace, partitions=2)
    first, second = (
        Member(kafka, unique_namespace, instance="first"),
        Member(kafka, unique_namespace, instance=instance),
    )
    async with first.running(), second.running(), asyncio.timeout(PATIENCE_S):
        await until_it_has(1, first)
        began = time.monotonic()
        await second.subscription.leave()
        await until_it_has(2, first)
        assert time.monotonic() - began < SESSION_TIMEOUT_S / 2
        assert second.subscription.assigned() == set()


async def test_what_is_taken_out_while_partitions_go_is_left_to_whoever_gets_them(
    kafka: Broker, topic: str, producer: RecordProducer
) -> None:
    async with Member(kafka, topic).running() as member, asyncio.timeout(PATIENCE_S):
        await member.subscription.on_partitions_revoked(set())
        await send(producer, topic, b"0")
        while await member.subscription.position(0) == 0:  # noqa: ASYNC110 - it is taken out of aiokafka unseen
            await asyncio.sleep(0.05)
        await member.subscription.on_partitions_assigned(set())
        await send(producer, topic, b"1")
        assert await member.next_value() == b"1"


async def until_it_has(partitions: int, member: Member) -> None:
    while len(member.subscription.assigned()) != partitions:  # noqa: ASYNC110 - aiokafka announces it to nobody else
        await asyncio.sleep(0.05)


async def test_a_batch_that_its_handler_cannot_deal_with_ends_the_worker(
    kafka: Broker, topic: str, producer: RecordProducer
) -> None:
    async def defect(batch: Sequence[Record]) -> None:
        raise ZeroDivisionError

    await send(producer, topic, b"0")
    member = Member(kafka, topic)
    member.on_batch = defect
    async with member.running(), asyncio.timeout(PATIENCE_S):
        while not member.stop.status:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert member.stop.status == 1


class Gate:
    """Holds a member up in its first batch until it is opened."""

    def __init__(self, member: Member) -> None:
        self._member = member
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        member.on_batch = self._hold_up

    async def _hold_up(self, batch: Sequence[Record]) -> None:
        self.reached.set()
        await self.opened.wait()
        await self._member._keep(batch)


async def test_a_batch_that_takes_longer_than_the_poll_interval_costs_no_partition_and_no_record(
    kafka: Broker, topic: str, producer: RecordProducer
) -> None:
    values = [b"%d" % number for number in range(50)]
    member = Member(kafka, topic, max_records=7)
    gate = Gate(member)
    async with member.running():
        await send(producer, topic, *values)
        await gate.reached.wait()
        member.revoked.clear()
        await asyncio.sleep(POLL_INTERVAL_S + 1.5)  # heartbeats, which would find it idle, come every half second
        assert (member.subscription.paused, member.revoked) == (True, [])
        gate.opened.set()
        assert [await member.next_value() for _ in values] == values
        assert (member.subscription.paused, member.revoked) == (False, [])


async def test_a_partition_that_is_assigned_during_a_long_batch_waits_for_its_end(
    kafka: Broker, unique_namespace: str, producer: RecordProducer
) -> None:
    await create_topic(kafka.bootstrap_servers, unique_namespace, partitions=2)
    first, second = Member(kafka, unique_namespace), Member(kafka, unique_namespace)
    gate = Gate(first)
    async with first.running(), asyncio.timeout(2 * PATIENCE_S):
        await producer.send(unique_namespace, key=None, value=b"held up", partition=0)
        await gate.reached.wait()
        async with second.running():
            await until_it_has(1, second)
            await until_it_has(1, first)
            await producer.send(unique_namespace, key=None, value=b"0", partition=0)
            await producer.send(unique_namespace, key=None, value=b"1", partition=1)
        await until_it_has(2, first)
        await asyncio.sleep(1)  # a fetch takes milliseconds
        assert first.records.empty()
        assert [await first.subscription.position(partition) for partition in (0, 1)] == [0, 0]
        gate.opened.set()
        found = {await first.next_value() for _ in range(4)}  # the first again, since it was not committed
    assert found == {b"held up", b"0", b"1"}


@pytest.mark.durable
async def test_after_compaction_the_position_may_be_beyond_the_record_after_the_last(
    kafka: Broker, unique_namespace: str, producer: RecordProducer
) -> None:
    """What the indexer must bear: it tells a batch from before a seek by the position, which is behind such a batch."""
    await create_topic(kafka.bootstrap_servers, unique_namespace, config=COMPACTED_AT_ONCE)
    half_a_segment, now_ms = bytes(600_000), time.time_ns() // 1_000_000

    async def write(key: bytes, value: bytes, *, after_ms: int) -> None:
        """By the clock of the records, what comes later than 100 ms after the first begins another segment."""
        await producer.send(unique_namespace, key=key, value=value, timestamp_ms=now_ms + after_ms)

    await write(b"fills the first segment", half_a_segment, after_ms=0)
    await asyncio.gather(write(b"kept", b"1", after_ms=0), write(b"often", b"2", after_ms=0))  # in one batch
    await write(b"fills the second segment", half_a_segment, after_ms=200)
    await write(b"often", b"3", after_ms=200)
    after_ms = 200
    async with asyncio.timeout(PATIENCE_S):
        while (1, 3) not in (found := await positions(kafka, unique_namespace)):
            assert found
            after_ms += 200
            await write(b"closes a segment", b"", after_ms=after_ms)


async def positions(kafka: Broker, topic: str) -> list[tuple[int, int]]:
    """(the last offset, the position) of each batch that a new member of a new group is given."""
    found: list[tuple[int, int]] = []
    member = Member(kafka, topic)

    async def note(batch: Sequence[Record]) -> None:
        found.append((batch[-1].offset, await member.subscription.position(0)))
        await member._keep(batch)

    member.on_batch = note
    async with member.running():
        await member.next_value()
    return found
