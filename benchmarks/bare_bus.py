"""Kafka and Redis with nothing around them: one hop, one echo, one publication."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from redis.asyncio import Redis

from shared.events.topics import TopicSpec

HOP = TopicSpec(name="bare.hop", partitions=1, config={})
ECHO_REQUESTS = TopicSpec(name="bare.echo.requests", partitions=1, config={})
ECHO_REPLIES = TopicSpec(name="bare.echo.replies", partitions=1, config={})
BARE_TOPICS = (HOP, ECHO_REQUESTS, ECHO_REPLIES)

_CHANNEL = "bare.channel"


class BareTopics:
    """Sends to one topic and reads from another, with aiokafka as it comes. One message is under way at a time."""

    def __init__(self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, to: str) -> None:
        self._producer = producer
        self._consumer = consumer
        self._to = to

    async def round(self, value: bytes) -> bytes:
        """Send a record and return what comes: itself after one hop, its answer after an echo."""
        await self._producer.send(self._to, value)
        record = await self._consumer.getone()
        return bytes(record.value)


@asynccontextmanager
async def bare_topics(bootstrap_servers: str, *, to: str, back: str) -> AsyncIterator[BareTopics]:
    async with AsyncExitStack() as stack:
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers)
        await producer.start()
        stack.push_async_callback(producer.stop)
        consumer = await stack.enter_async_context(consumer_at_end(bootstrap_servers, back))
        yield BareTopics(producer, consumer, to)


@asynccontextmanager
async def consumer_at_end(bootstrap_servers: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of the only partition of `topic`, from what is written after this returns."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.seek_to_end()
        await consumer.position(TopicPartition(topic, 0))
        yield consumer
    finally:
        await consumer.stop()


class BareChannel:
    """One Redis channel, published to and heard by this process."""

    def __init__(self, redis: Redis, messages: AsyncIterator[Any]) -> None:
        self._redis = redis
        self._messages = messages

    async def round(self, value: bytes) -> bytes:
        await self._redis.publish(_CHANNEL, value)
        message = await anext(self._messages)
        return bytes(message["data"])


@asynccontextmanager
async def bare_channel(redis_url: str) -> AsyncIterator[BareChannel]:
    async with Redis.from_url(redis_url) as redis, redis.pubsub() as subscription:
        await subscription.subscribe(_CHANNEL)
        messages = subscription.listen()
        await anext(messages)  # that the subscription stands
        yield BareChannel(redis, messages)
