"""What every History does: the one on Kafka, and the topic that stands in for it in the tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest

from shared.bus.history import FeatureHistory
from shared.bus.producer import RecordProducer
from shared.events.features import encode_feature, feature_of
from shared.events.operations import Operation, OperationBatch, Upsert
from shared.replication.replica import History, HistoryUnavailable
from tests.fakes.features_topic import FeaturesTopic
from tests.fakes.kafka_topics import COMPACTED_AT_ONCE, create_topic
from tests.fakes.operations import INCARNATION, delete, upsert
from tests.harness.kafka import Broker

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Source:
    """A history, and what is behind it."""

    history: History
    write: Callable[[Operation], Awaitable[object]]
    write_noise: Callable[[], Awaitable[object]]


async def fake() -> AsyncIterator[Source]:
    topic = FeaturesTopic(step=2)

    async def write(operation: Operation) -> None:
        topic.write(operation)

    async def write_noise() -> None:
        topic.append(key=b"noise", value=b"noise")

    yield Source(topic, write, write_noise)


async def real(broker: Broker, name: str) -> AsyncIterator[Source]:
    await create_topic(broker.bootstrap_servers, name)
    async with RecordProducer(broker.bootstrap_servers, client_id="test") as producer:
        yield Source(
            FeatureHistory(broker.bootstrap_servers, name),
            lambda operation: send(producer, name, operation),
            lambda: producer.send(name, key=b"noise", value=b"noise"),
        )


async def send(producer: RecordProducer, topic: str, operation: Operation) -> None:
    await producer.send(
        topic,
        key=operation.id.encode(),
        value=encode_feature(feature_of(operation)) if isinstance(operation, Upsert) else None,
        headers=operation.source.headers() if not isinstance(operation, Upsert) else (),
    )


@pytest.fixture(params=["fake", "kafka"])
async def source(request: pytest.FixtureRequest, unique_namespace: str) -> AsyncIterator[Source]:
    made = fake() if request.param == "fake" else real(request.getfixturevalue("kafka"), unique_namespace)
    async for one in made:
        yield one


async def batches(source: Source, *, after: int = -1) -> list[OperationBatch]:
    return [one async for one in source.history.read(0, after=after, incarnation=INCARNATION)]


def operations(read: Sequence[OperationBatch]) -> list[tuple[int, str]]:
    return [(operation.offset, operation.id) for one in read for operation in one.operations]


async def test_an_empty_partition_has_no_history(source: Source) -> None:
    assert await batches(source) == []


async def test_the_history_leads_from_before_the_first_offset_to_the_end_without_a_gap(source: Source) -> None:
    for offset in range(5):
        await source.write(upsert(offset, f"id-{offset}"))
    read = await batches(source)
    assert operations(read) == [(offset, f"id-{offset}") for offset in range(5)]
    assert [one.previous for one in read] == [-1, *(one.position for one in read[:-1])]
    assert read[-1].position == 4
    assert {one.incarnation for one in read} == {INCARNATION}


@pytest.mark.parametrize("after", [0, 2, 3])
async def test_the_history_begins_behind_the_position_that_is_named(source: Source, after: int) -> None:
    for offset in range(5):
        await source.write(upsert(offset, f"id-{offset}"))
    read = await batches(source, after=after)
    assert read[0].previous == after
    assert [offset for offset, _ in operations(read)] == list(range(after + 1, 5))


@pytest.mark.parametrize("after", [4, 5, 100])
async def test_at_or_beyond_the_end_there_is_nothing(source: Source, after: int) -> None:
    for offset in range(5):
        await source.write(upsert(offset))
    assert await batches(source, after=after) == []


async def test_a_delete_keeps_its_place_in_the_order_of_uploads(source: Source) -> None:
    await source.write(upsert(0, "cat", source=7))
    await source.write(delete(1, "cat", source=9))
    (_, gone) = [operation for one in await batches(source) for operation in one.operations]
    assert gone == delete(1, "cat", source=9, at=gone.uploaded_at)


async def test_a_record_that_cannot_be_read_holds_its_offset_and_nothing_else(source: Source) -> None:
    await source.write(upsert(0, "before"))
    await source.write_noise()
    await source.write(upsert(2, "after"))
    await source.write_noise()
    read = await batches(source)
    assert operations(read) == [(0, "before"), (2, "after")]
    assert read[-1].position == 3


async def test_without_a_broker_the_history_is_unavailable() -> None:
    history = FeatureHistory("127.0.0.1:1", "nowhere")
    with pytest.raises(HistoryUnavailable):
        await anext(history.read(0, after=-1, incarnation=INCARNATION))


@pytest.mark.durable
async def test_a_compacted_partition_still_leads_to_its_end(kafka: Broker, unique_namespace: str) -> None:
    """Offsets without a record are passed over, at the beginning and in the middle."""
    await create_topic(kafka.bootstrap_servers, unique_namespace, config=COMPACTED_AT_ONCE)
    history = FeatureHistory(kafka.bootstrap_servers, unique_namespace)
    async with RecordProducer(kafka.bootstrap_servers, client_id="test") as producer, asyncio.timeout(PATIENCE_S):
        for offset in range(10):
            await send(producer, unique_namespace, upsert(offset, "often" if offset != 4 else "once"))
        read: list[OperationBatch] = []
        last = 9
        while not read or len(operations(read)) > last - 6:
            await asyncio.sleep(0.2)
            last += 1
            await send(producer, unique_namespace, upsert(last, f"closes-the-segment-{last}"))
            read = [one async for one in history.read(0, after=-1, incarnation=INCARNATION)]
    assert operations(read)[:2] == [(4, "once"), (9, "often")]
    assert read[0].previous == -1
    assert read[-1].position == last
