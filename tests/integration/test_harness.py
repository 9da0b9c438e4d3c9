"""The test infrastructure keeps its own promises."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.harness.daemon import DaemonFailedError
from tests.harness.kafka import Broker
from tests.harness.proxy import FaultyProxy
from tests.harness.redis import RedisServer
from tests.harness.workers import WorkerProcess


async def create_topic(broker: Broker, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def produce(broker: Broker, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, acks="all") as producer:
        await producer.send_and_wait(topic, value)


async def first_value(broker: Broker, topic: str) -> bytes | None:
    async with AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest") as consumer:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        record = await consumer.getone(partition)
        return record.value


async def test_the_sessions_broker_carries_a_record(kafka: Broker, unique_namespace: str) -> None:
    await create_topic(kafka, unique_namespace)
    await produce(kafka, unique_namespace, b"hello")
    assert await first_value(kafka, unique_namespace) == b"hello"


@pytest.mark.durable
async def test_a_killed_broker_comes_back_with_its_log(fresh_kafka: Broker, unique_namespace: str) -> None:
    await create_topic(fresh_kafka, unique_namespace)
    await produce(fresh_kafka, unique_namespace, b"kept")
    fresh_kafka.kill()
    fresh_kafka.start()
    assert await first_value(fresh_kafka, unique_namespace) == b"kept"


async def test_redis_restarts_on_its_port(fresh_redis: RedisServer) -> None:
    url = fresh_redis.url
    fresh_redis.kill()
    assert not fresh_redis.alive
    fresh_redis.restart()
    assert fresh_redis.alive
    assert fresh_redis.url == url


async def ping(port: int, *, patience_s: float = 5.0) -> bytes:
    async with asyncio.timeout(patience_s):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"PING\r\n")
            return await reader.readline()
        finally:
            writer.close()


async def test_a_stalled_proxy_accepts_and_forwards_nothing_until_it_is_healed(redis_server: RedisServer) -> None:
    with FaultyProxy(redis_server.port) as proxy:
        assert await ping(proxy.port) == b"+PONG\r\n"
        proxy.stall()
        with pytest.raises(TimeoutError):
            await ping(proxy.port, patience_s=0.2)
        proxy.heal()
        assert await ping(proxy.port) == b"+PONG\r\n"


async def test_a_refusing_proxy_breaks_and_refuses_connections(redis_server: RedisServer) -> None:
    with FaultyProxy(redis_server.port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"PING\r\n")
        await reader.readline()
        proxy.refuse()
        with pytest.raises(ConnectionResetError):
            await reader.readline()
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await ping(proxy.port)
        proxy.heal()
        assert await ping(proxy.port) == b"+PONG\r\n"


async def test_a_slow_proxy_holds_every_chunk_back(redis_server: RedisServer) -> None:
    with FaultyProxy(redis_server.port) as proxy:
        proxy.delay(0.1)
        started = asyncio.get_running_loop().time()
        assert await ping(proxy.port) == b"+PONG\r\n"
        assert asyncio.get_running_loop().time() - started >= 0.2


def test_a_worker_that_cannot_start_fails_with_the_end_of_its_log(tmp_path: Path) -> None:
    worker = WorkerProcess("no_such_worker", bootstrap_servers="x:1", redis_url="redis://x:1", folder=tmp_path)
    with pytest.raises(DaemonFailedError, match=r"No module named services\.no_such_worker"), worker:
        pass
    assert not worker.alive
