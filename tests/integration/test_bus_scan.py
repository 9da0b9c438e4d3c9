"""Reading a partition from an offset to its end."""

import asyncio
import time

import pytest

from shared.bus.faults import BusUnavailable
from shared.bus.producer import RecordProducer
from shared.bus.scan import Scanned, read_record, scan
from tests.fakes.kafka_topics import create_topic
from tests.harness.kafka import Broker


async def write(broker: Broker, topic: str, count: int) -> None:
    async with RecordProducer(broker.bootstrap_servers, client_id="test", linger_ms=10) as producer:
        for number in range(count):
            await producer.send(topic, key=None, value=str(number).encode(), partition=1)


async def steps(broker: Broker, topic: str, *, first: int = 0) -> list[Scanned]:
    return [step async for step in scan(broker.bootstrap_servers, topic, 1, first=first)]


@pytest.fixture
async def topic(kafka: Broker, unique_namespace: str) -> str:
    await create_topic(kafka.bootstrap_servers, unique_namespace, partitions=2)
    return unique_namespace


async def test_an_empty_partition_is_read_at_once(kafka: Broker, topic: str) -> None:
    assert await steps(kafka, topic) == []


@pytest.mark.parametrize("first", [0, 1, 4])
async def test_all_from_the_first_offset_to_the_end_is_read_in_order(kafka: Broker, topic: str, first: int) -> None:
    await write(kafka, topic, 5)
    read = await steps(kafka, topic, first=first)
    assert [record.offset for step in read for record in step.records] == list(range(first, 5))
    assert read[-1].reached == 4


@pytest.mark.parametrize("first", [5, 50])
async def test_beyond_the_end_there_is_nothing_to_read(kafka: Broker, topic: str, first: int) -> None:
    await write(kafka, topic, 5)
    assert await steps(kafka, topic, first=first) == []


async def test_what_is_written_while_reading_is_left_to_the_next_time(kafka: Broker, topic: str) -> None:
    await write(kafka, topic, 3)
    reading = scan(kafka.bootstrap_servers, topic, 1)
    first = await anext(reading)
    await write(kafka, topic, 3)
    rest = [step async for step in reading]
    assert max(step.reached for step in [first, *rest]) == 2


async def test_what_was_written_before_a_time_is_left_out(kafka: Broker, topic: str) -> None:
    await write(kafka, topic, 3)
    [before] = await steps(kafka, topic)
    since = max(record.timestamp for record in before.records) + 1
    reading = scan(kafka.bootstrap_servers, topic, 1, since_ms=since)
    assert [step async for step in reading] == []
    while time.time() * 1000 <= since:  # noqa: ASYNC110 - a clock is awaited
        await asyncio.sleep(0.001)
    await write(kafka, topic, 2)
    reading = scan(kafka.bootstrap_servers, topic, 1, since_ms=since)
    assert [record.offset async for step in reading for record in step.records] == [3, 4]


async def test_one_record_is_read_by_its_offset(kafka: Broker, topic: str) -> None:
    await write(kafka, topic, 3)
    found = await read_record(kafka.bootstrap_servers, topic, 1, 1)
    assert found is not None
    assert (found.offset, found.value) == (1, b"1")
    assert await read_record(kafka.bootstrap_servers, topic, 1, 3) is None


async def test_without_a_broker_the_bus_is_unavailable() -> None:
    with pytest.raises(BusUnavailable):
        await anext(scan("127.0.0.1:1", "topic", 0))
