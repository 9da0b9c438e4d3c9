"""A consumer without a group: reads where it is told, commits nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer

from shared.wires.kafka import Servers, kafka_servers

FETCH_WAIT_MS = 500
"""Longest wait of a fetch that finds nothing: Kafka's own default."""


@asynccontextmanager
async def ungrouped_consumer(
    servers: Servers, *, fetch_wait_ms: int = FETCH_WAIT_MS
) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer that has nothing assigned yet. Raises KafkaError where no broker answers."""
    consumer = AIOKafkaConsumer(
        **kafka_servers(servers).options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=fetch_wait_ms,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    try:
        await consumer.start()
        # Stopped before its background task took a first step, aiokafka's consumer raises CancelledError at its caller.
        await asyncio.sleep(0)
        yield consumer
    finally:
        await consumer.stop()
