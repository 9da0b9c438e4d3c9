"""The replication log in memory, and the ways in which Redis lets its users down."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from shared.events.operations import OperationBatch
from shared.replication.log import Conflict, Fenced, LogHead, LogUnavailable

_CUT = None


@dataclass
class _ShardLog:
    incarnation: str
    epoch: str
    head: int
    batches: list[OperationBatch] = field(default_factory=list)

    def copy(self) -> "_ShardLog":
        return _ShardLog(self.incarnation, self.epoch, self.head, list(self.batches))


class FakeLog:
    """Implements ReplicationLog.

    down: nothing answers. loses_publish: asked once for each listener and batch. loses_answer: asked once for each
    append that took effect, whose caller then hears LogUnavailable. on_append: told of each append that was accepted.
    """

    def __init__(self) -> None:
        self.down = False
        self.loses_publish: Callable[[], bool] = lambda: False
        self.loses_answer: Callable[[], bool] = lambda: False
        self.on_append: Callable[[int, OperationBatch, str], None] = lambda shard, batch, epoch: None
        self._shards: dict[int, _ShardLog] = {}
        self._listeners: list[tuple[frozenset[int], asyncio.Queue[tuple[int, OperationBatch] | None]]] = []

    async def claim(self, shard: int, *, incarnation: str, epoch: str, head_if_new: int) -> int:
        await self._arrive()
        known = self._shards.get(shard)
        if known is None or known.incarnation != incarnation:
            known = self._shards[shard] = _ShardLog(incarnation, epoch, head_if_new)
        known.epoch = epoch
        return known.head

    async def append(self, shard: int, batch: OperationBatch, *, epoch: str, keep_after: int) -> None:
        await self._arrive()
        known = self._shards.get(shard)
        if known is None or (known.incarnation, known.epoch) != (batch.incarnation, epoch):
            raise Fenced(f"shard {shard} was claimed by another writer, or its log was lost")
        if batch.position <= known.head:
            return
        if batch.previous != known.head:
            raise Conflict(known.head)
        known.batches = [kept for kept in known.batches if kept.position > keep_after] + [batch]
        known.head = batch.position
        self.on_append(shard, batch, epoch)
        for shards, queue in self._listeners:
            if shard in shards and not self.loses_publish():
                queue.put_nowait((shard, batch))
        if self.loses_answer():
            raise LogUnavailable("the answer was lost")

    async def head(self, shard: int) -> LogHead | None:
        await self._arrive()
        known = self._shards.get(shard)
        return LogHead(known.incarnation, known.epoch, known.head) if known else None

    async def read(self, shard: int, *, after: int, count: int) -> list[OperationBatch]:
        await self._arrive()
        known = self._shards.get(shard)
        return [batch for batch in known.batches if batch.position > after][:count] if known else []

    @asynccontextmanager
    async def follow(self, shards: Sequence[int]) -> AsyncIterator[AsyncIterator[tuple[int, OperationBatch]]]:
        await self._arrive()
        queue: asyncio.Queue[tuple[int, OperationBatch] | None] = asyncio.Queue()
        listener = (frozenset(shards), queue)
        self._listeners.append(listener)
        try:
            yield self._heard(queue)
        finally:
            self._listeners.remove(listener)

    def flush(self) -> None:
        """FLUSHALL."""
        self._shards.clear()

    def snapshot(self) -> dict[int, _ShardLog]:
        """What a restart from an older file would bring back: see `roll_back`."""
        return {shard: known.copy() for shard, known in self._shards.items()}

    def roll_back(self, snapshot: dict[int, _ShardLog]) -> None:
        self._shards = {shard: known.copy() for shard, known in snapshot.items()}

    def trim(self, shard: int, *, keep_after: int) -> None:
        """Drop the oldest batches, as a log does that has grown over its window."""
        if known := self._shards.get(shard):
            known.batches = [batch for batch in known.batches if batch.position > keep_after]

    def cut(self) -> None:
        """Break the connection of everybody who follows."""
        for _, queue in self._listeners:
            queue.put_nowait(_CUT)

    async def _arrive(self) -> None:
        await asyncio.sleep(0)
        if self.down:
            raise LogUnavailable("the log is down")

    async def _heard(
        self, queue: asyncio.Queue[tuple[int, OperationBatch] | None]
    ) -> AsyncIterator[tuple[int, OperationBatch]]:
        while True:
            heard = await queue.get()
            if heard is _CUT:
                raise LogUnavailable("the connection broke")
            yield heard
