"""A log in memory that holds what was fed to it, and a replica that follows it."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.events.operations import OperationBatch, decode_batch
from shared.index.shard import Shard
from shared.replication.log import LogHead
from shared.replication.replica import GapKind, ShardReplica, Snapshots
from shared.replication.state import ReplicaState
from shared.runtime.executor import SingleThread

SHARD = 0
INCARNATION = "benchmark/features"
_KEPT_BATCHES = 2_000


class FedLog:
    """The half of a ReplicationLog that a single replica uses. head: the position that it begins at."""

    def __init__(self, head: int) -> None:
        self._head = head
        self._batches: deque[OperationBatch] = deque(maxlen=_KEPT_BATCHES)

    def feed(self, replica: ShardReplica, data: bytes) -> None:
        """Append an encoded batch, and have the replica hear it as it would from Redis."""
        batch = decode_batch(data)
        self._batches.append(batch)
        self._head = batch.position
        replica.hear(batch)

    async def head(self, shard: int) -> LogHead:  # noqa: ARG002 - there is one
        return LogHead(incarnation=INCARNATION, epoch="", head=self._head)

    async def read(self, shard: int, *, after: int, count: int) -> list[OperationBatch]:  # noqa: ARG002
        return [batch for batch in self._batches if batch.position > after][:count]


class NoHistory:
    """A History: Kafka with nothing in it."""

    async def read(self, shard: int, *, after: int, incarnation: str) -> AsyncIterator[OperationBatch]:  # noqa: ARG002
        return
        yield


class Unobserved:
    """A ReplicaObserver that looks away."""

    def applied(self, shard: int, batch: OperationBatch, *, live: bool) -> None:
        pass

    def gap(self, shard: int, kind: GapKind) -> None:
        pass

    def unavailable(self, shard: int, source: str) -> None:
        pass


@asynccontextmanager
async def following(
    log: FedLog, shard: Shard | None, thread: SingleThread, *, snapshots: Snapshots | None = None
) -> AsyncIterator[ShardReplica]:
    """A replica that runs, LIVE. shard: what it begins with; None for nothing."""
    replica = ShardReplica(
        SHARD,
        incarnation=INCARNATION,
        make_shard=lambda: shard if shard is not None else Shard(),
        log_=log,
        history=NoHistory(),
        thread=thread,
        observer=Unobserved(),
        clock=time.monotonic,
        snapshots=snapshots,
    )
    running = asyncio.create_task(replica.run())
    try:
        while replica.state is not ReplicaState.LIVE:
            if running.done():
                running.result()
            await asyncio.sleep(0.001)
        yield replica
    finally:
        running.cancel()
        await asyncio.wait([running])
