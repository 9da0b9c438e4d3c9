"""Hearing what became of every upload: the receipts and the rejects on the bus."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import msgspec

from services.gateway.live.arrivals import Arrival
from shared.bus.cluster import Cluster
from shared.bus.consumer import Record
from shared.bus.inbox import Inbox
from shared.events.receipts import Effect, decode_receipt
from shared.events.rejects import read_reject
from shared.events.topics import Topics
from shared.runtime.settings import ServiceSettings

Hear: TypeAlias = Callable[[Callable[[Arrival], None]], AbstractAsyncContextManager[None]]
"""Calls what it is given for every arrival, while the context lasts. Entering raises BusUnavailable, ClusterError."""


def hearing(settings: ServiceSettings) -> Hear:
    topics = Topics(settings.namespace)

    @asynccontextmanager
    async def hear(receive: Callable[[Arrival], None]) -> AsyncIterator[None]:
        def take(record: Record) -> None:
            arrival = _rejected(record) if record.topic == topics.rejected else _applied(record)
            if arrival:
                receive(arrival)

        async with Cluster(settings.kafka, within_s=0) as cluster:
            partitions = {topic: await cluster.wait_for_topic(topic) for topic in (topics.indexed, topics.rejected)}
        async with Inbox(settings.kafka, partitions, take, fetch_wait_ms=settings.fetch_wait_ms):
            yield

    return hear


def _applied(record: Record) -> Arrival | None:
    """None where nothing changed, or the record is no receipt that this release knows."""
    try:
        receipt = decode_receipt(record.value or b"")
    except msgspec.DecodeError:
        return None
    if receipt.effect is Effect.SUPERSEDED:
        return None
    return Arrival(
        id=receipt.id,
        kind="indexed" if receipt.effect is Effect.INDEXED else "deleted",
        after_s=_between(receipt.uploaded_at, receipt.indexed_at),
        shard=receipt.shard,
        position=receipt.position,
    )


def _rejected(record: Record) -> Arrival | None:
    reject = read_reject(record.headers)
    if reject is None:
        return None
    return Arrival(
        id=(record.key or b"").decode(errors="replace"),
        kind="rejected",
        after_s=_between(reject.uploaded_at, record.timestamp),
        reason=reject.reason.value,
        detail=reject.detail,
    )


def _between(earlier_ms: int, later_ms: int) -> float | None:
    return (later_ms - earlier_ms) / 1000 if later_ms >= earlier_ms else None
