"""Which clock dates the records of the topics: those of whoever writes may be wrong."""

import time
from collections.abc import AsyncIterator

import pytest

from shared.bus.cluster import Cluster
from shared.bus.faults import BusUnavailable
from shared.bus.producer import RecordProducer
from shared.bus.scan import scan
from shared.events.topics import Topics
from tests.harness.kafka import Broker

HOUR_MS = 3600 * 1000

pytestmark = pytest.mark.durable  # the embedded broker has one clock for everything: that of whoever writes


@pytest.fixture
async def topics(kafka: Broker, unique_namespace: str) -> Topics:
    topics = Topics(unique_namespace)
    async with Cluster(kafka.bootstrap_servers) as cluster:
        await cluster.create_topics(topics.specs(1))
    return topics


@pytest.fixture
async def producer(kafka: Broker) -> AsyncIterator[RecordProducer]:
    async with RecordProducer(kafka.bootstrap_servers, client_id="test") as producer:
        yield producer


def dated(hours: int) -> int:
    return time.time_ns() // 1_000_000 + hours * HOUR_MS


@pytest.mark.parametrize("hours", [-1_000, 1_000])
async def test_what_a_worker_writes_is_dated_by_the_broker(
    kafka: Broker, topics: Topics, producer: RecordProducer, hours: int
) -> None:
    for topic in (topics.features, topics.rejected, topics.indexed, topics.requests, topics.replies):
        await producer.send(topic, key=b"k", value=b"v", timestamp_ms=dated(hours))
        [step] = [step async for step in scan(kafka.bootstrap_servers, topic, 0)]
        [record] = step.records
        assert abs(record.timestamp - dated(0)) < HOUR_MS


@pytest.mark.parametrize("hours", [-8 * 24, 25])
async def test_an_upload_by_a_clock_that_would_have_it_removed_or_kept_too_long_is_refused(
    topics: Topics, producer: RecordProducer, hours: int
) -> None:
    with pytest.raises(BusUnavailable):
        await producer.send(topics.uploaded, key=b"k", value=b"v", timestamp_ms=dated(hours))
    await producer.send(topics.uploaded, key=b"k", value=b"v")


@pytest.mark.parametrize("hours", [-6 * 24, 23])
async def test_an_upload_keeps_the_time_that_it_is_given(
    kafka: Broker, topics: Topics, producer: RecordProducer, hours: int
) -> None:
    at = dated(hours)
    await producer.send(topics.uploaded, key=b"k", value=b"v", timestamp_ms=at)
    [step] = [step async for step in scan(kafka.bootstrap_servers, topics.uploaded, 0)]
    assert step.records[0].timestamp == at
