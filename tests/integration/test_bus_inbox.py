"""Hearing what is written from now on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.bus.consumer import Record
from shared.bus.faults import BusUnavailable
from shared.bus.inbox import Inbox
from shared.bus.producer import RecordProducer
from tests.fakes.kafka_topics import create_topic
from tests.harness.kafka import Broker

PATIENCE_S = 20.0


@pytest.fixture
async def topic(kafka: Broker, unique_namespace: str) -> str:
    await create_topic(kafka.bootstrap_servers, unique_namespace, partitions=3)
    return unique_namespace


@pytest.fixture
async def producer(kafka: Broker) -> AsyncIterator[RecordProducer]:
    async with RecordProducer(kafka.bootstrap_servers, client_id="test") as producer:
        yield producer


async def send(producer: RecordProducer, topic: str, partition: int, value: bytes) -> None:
    await producer.send(topic, key=None, value=value, partition=partition)


async def heard(queue: "asyncio.Queue[Record]", count: int) -> list[bytes | None]:
    async with asyncio.timeout(PATIENCE_S):
        return [(await queue.get()).value for _ in range(count)]


async def test_what_is_written_after_entering_is_heard_and_nothing_older(
    kafka: Broker, topic: str, producer: RecordProducer
) -> None:
    await send(producer, topic, 0, b"before")
    queue: asyncio.Queue[Record] = asyncio.Queue()
    async with Inbox(kafka.bootstrap_servers, {topic: [0]}, queue.put_nowait):
        await send(producer, topic, 0, b"first")
        await send(producer, topic, 0, b"second")
        assert await heard(queue, 2) == [b"first", b"second"]
    assert queue.empty()


async def test_only_the_partitions_that_were_named_are_heard(
    kafka: Broker, topic: str, producer: RecordProducer
) -> None:
    queue: asyncio.Queue[Record] = asyncio.Queue()
    async with Inbox(kafka.bootstrap_servers, {topic: [0, 2]}, queue.put_nowait):
        for partition in range(3):
            await send(producer, topic, partition, str(partition).encode())
        assert sorted(await heard(queue, 2), key=str) == [b"0", b"2"]
    assert queue.empty()


async def test_without_a_broker_there_is_no_inbox() -> None:
    with pytest.raises(BusUnavailable):
        async with Inbox("127.0.0.1:1", {"topic": [0]}, lambda record: None):
            pass


async def test_an_inbox_whose_listener_has_ended_says_so_and_why(
    kafka: Broker, topic: str, producer: RecordProducer
) -> None:
    def defect(_record: Record) -> None:
        raise ZeroDivisionError

    async with Inbox(kafka.bootstrap_servers, {topic: [0]}, defect) as inbox, asyncio.timeout(PATIENCE_S):
        assert inbox.not_hearing() is None
        await send(producer, topic, 0, b"breaks it")
        while (problem := inbox.not_hearing()) is None:  # noqa: ASYNC110 - a probe is asked, it does not call
            await asyncio.sleep(0.05)
    assert problem == f"nothing listens to {topic} any more: it failed with ZeroDivisionError()"
