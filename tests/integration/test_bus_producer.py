"""The producer on a real broker, and on the embedded one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.bus.faults import BusUnavailable
from shared.bus.producer import MAX_RECORD_BYTES, RecordProducer, RecordTooLarge, Undeliverable
from shared.bus.scan import scan
from tests.fakes.kafka_topics import create_topic
from tests.harness.kafka import Broker, EmbeddedBroker

PARTITIONS = 2


@pytest.fixture
async def topic(kafka: Broker, unique_namespace: str) -> str:
    await create_topic(kafka.bootstrap_servers, unique_namespace, partitions=PARTITIONS)
    return unique_namespace


@pytest.fixture
async def producer(kafka: Broker) -> AsyncIterator[RecordProducer]:
    async with RecordProducer(kafka.bootstrap_servers, client_id="test") as producer:
        yield producer


async def test_a_record_stands_where_the_producer_says_as_it_was_given(
    kafka: Broker, topic: str, producer: RecordProducer
) -> None:
    headers = [("plain", b"text"), ("binary", b"\xff\x00"), ("plain", b"twice")]
    stands = await producer.send(topic, key=b"k", value=b"v", headers=headers, partition=1, timestamp_ms=1234)
    assert (stands.partition, stands.offset) == (1, 0)
    [step] = [step async for step in scan(kafka.bootstrap_servers, topic, 1)]
    [record] = step.records
    assert (record.key, record.value, record.timestamp) == (b"k", b"v", 1234)
    assert list(record.headers) == headers


class RecordingObserver:
    """Implements ProducerObserver."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int | None]] = []

    def acknowledged(self, topic: str, size: int, seconds: float) -> None:
        assert 0 < seconds < 60
        self.heard.append((topic, size))

    def failed(self, topic: str) -> None:
        self.heard.append((topic, None))


@pytest.mark.durable  # the embedded broker makes every topic that is named
async def test_an_observer_hears_what_became_of_each_record(kafka: Broker, topic: str) -> None:
    observer = RecordingObserver()
    async with RecordProducer(kafka.bootstrap_servers, client_id="test", observer=observer) as producer:
        await producer.send(topic, key=b"k", value=b"four")
        await producer.send(topic, key=b"k", value=None)
        with pytest.raises(RecordTooLarge):
            await producer.send(topic, key=b"k", value=bytes(MAX_RECORD_BYTES + 1))
        with pytest.raises(Undeliverable):
            await producer.send_within(1, "no-such-topic", value=b"", headers=(), partition=None)
    assert observer.heard == [(topic, 4), (topic, 0), (topic, None), ("no-such-topic", None)]


async def test_the_partitions_of_a_topic_are_counted(topic: str, producer: RecordProducer) -> None:
    assert await producer.partitions(topic) == PARTITIONS


@pytest.mark.parametrize("partition", [PARTITIONS, 10**6])
async def test_a_partition_that_does_not_exist_is_undeliverable(
    topic: str, producer: RecordProducer, partition: int
) -> None:
    with pytest.raises(Undeliverable):
        await producer.send_within(5, topic, value=b"", headers=(), partition=partition)


@pytest.mark.durable  # the embedded broker makes every topic that is named
@pytest.mark.parametrize("name", ["no-such-topic", "not/a/name", "x" * 300])
async def test_a_topic_that_does_not_exist_is_undeliverable_and_others_go_on(
    topic: str, producer: RecordProducer, name: str
) -> None:
    with pytest.raises(Undeliverable):
        await producer.send_within(1, name, value=b"", headers=(), partition=None)
    await producer.send_within(5, topic, value=b"", headers=(), partition=0)


@pytest.mark.parametrize("where", ["value", "header", "key"])
async def test_a_record_above_the_limit_is_too_large_wherever_its_bytes_are(
    topic: str, producer: RecordProducer, where: str
) -> None:
    ballast = bytes(MAX_RECORD_BYTES)
    with pytest.raises(RecordTooLarge):
        await producer.send(
            topic,
            key=ballast if where == "key" else b"k",
            value=ballast if where == "value" else b"v",
            headers=[("h", ballast)] if where == "header" else [],
        )


async def test_a_record_just_below_the_limit_is_taken(topic: str, producer: RecordProducer) -> None:
    assert (await producer.send(topic, key=None, value=bytes(MAX_RECORD_BYTES - 200))).offset == 0


async def test_without_a_broker_the_bus_is_unavailable() -> None:
    with pytest.raises(BusUnavailable, match=r"127\.0\.0\.1:1"):
        async with RecordProducer("127.0.0.1:1", client_id="test"):
            pass


async def test_a_broker_that_hands_out_no_producer_ids_is_written_to_all_the_same(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        await create_topic(broker.bootstrap_servers, "topic")
        async with RecordProducer(broker.bootstrap_servers, client_id="test") as producer:
            assert [(await producer.send("topic", key=b"k", value=b"v")).offset for _ in range(3)] == [0, 1, 2]
