"""Sealing the shards of an indexer, in an order in which nothing is lost whatever dies."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
import numpy as np

from services.indexer.metrics import IndexerMetrics
from services.indexer.sealing.building import Build, build_in_child, job_of
from services.indexer.sealing.policy import SealPolicy, SealTimes
from shared.index.compaction import Occupancy, to_merge, to_merge_into_one
from shared.index.contents import SealedPart, ShardContents
from shared.index.sealed.building import BuildFailed
from shared.index.sealed.description import CorruptSegment
from shared.index.sealed.segment import SealedSegment
from shared.index.shard import EMPTY_POSITION, Shard
from shared.replication.compaction_requests import CompactionRequests
from shared.replication.directory import Stored
from shared.replication.log import LogUnavailable
from shared.replication.store.manifest import make_manifest
from shared.replication.store.objects import StoreUnavailable
from shared.replication.store.segment_store import SegmentStore
from shared.replication.store.snapshots import StoredSnapshots
from shared.replication.writer import ShardWriter
from shared.runtime.executor import SingleThread
from shared.runtime.logging import get_logger

log = get_logger(__name__)

SEALING_FAILED = (BuildFailed, CorruptSegment, StoreUnavailable, OSError)
"""What may keep a shard from being sealed, for now: it is tried again."""
_LOOK_EVERY_S = 1.0
_RETRY_S = 10.0

Choose = Callable[[int, Sequence[Occupancy]], Sequence[str]]
"""Which segments are merged, given the number of new rows and all segments, by name."""


class SealSegments:
    """Seals the shards of this process, one after another.

    The order: the segment's files, then the shard takes it in, then all files are in the store, then the manifest, and
    only then what no manifest has named for a while is removed. Whatever dies in between, or goes on as if the shard
    were still its own, the newest manifest is whole.

    thread: the one that changes the shards. now_ms: Unix milliseconds, for others to read; clock: seconds, monotonic,
    for what is due here, since the time of day jumps. requests: those of operators. build: does what `build_in_child`
    does.
    """

    def __init__(
        self,
        store: SegmentStore,
        *,
        incarnation: str,
        policy: SealPolicy,
        thread: SingleThread,
        metrics: IndexerMetrics,
        now_ms: Callable[[], int],
        clock: Callable[[], float],
        requests: CompactionRequests | None = None,
        build: Build | None = None,
    ) -> None:
        self._store = store
        self._incarnation = incarnation
        self._thread = thread
        self._metrics = metrics
        self._now_ms = now_ms
        self._requests = requests
        self._build = build or build_in_child
        self._times = SealTimes(policy, clock=clock)
        self._condemned: dict[int, frozenset[str]] = {}
        self._stored: dict[int, Stored] = {}

    def stored(self, shard: int) -> Stored:
        """What the store has of a shard, as far as it is known here."""
        return self._stored.get(shard, Stored())

    async def restore(self, shard: int) -> Shard | None:
        """The shard as its newest manifest describes it."""
        restored = await StoredSnapshots(self._store, now_ms=self._now_ms).restore(
            shard, incarnation=self._incarnation, beyond=EMPTY_POSITION
        )
        position = None if restored is None else restored.position  # an empty shard counts as false
        self._times.published(shard, EMPTY_POSITION if position is None else position, at_s=self._times.now())
        self._note(shard, position=position)
        with suppress(StoreUnavailable):
            self._note(shard, bytes=await asyncio.to_thread(self._store.size, shard, incarnation=self._incarnation))
        return restored

    async def run(self, writers: Callable[[], Sequence[ShardWriter]]) -> None:
        """Look after the writers that there are, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            for writer in writers():
                try:
                    await self.look_after(writer)
                except SEALING_FAILED as error:
                    log.warning("sealing_failed", shard=writer.shard, error=str(error), retry_in_s=_RETRY_S)
                    await asyncio.sleep(_RETRY_S)

    async def look_after(self, writer: ShardWriter) -> None:
        """Seal the shard if it is due, or compact it if that was asked for. Raises what `SEALING_FAILED` has."""
        try:
            await self._attend_to(writer)
        except SEALING_FAILED as error:
            self._note(writer.shard, problem=str(error))
            self._metrics.seal_failures.inc()
            raise

    async def _attend_to(self, writer: ShardWriter) -> None:
        request = await self._request(writer)
        if request is None:
            if self.due(writer):
                await self.seal(writer)
            return
        if request != self.stored(writer.shard).compacted:
            await self.seal(writer, choose=to_merge_into_one)
            self._note(writer.shard, compacted=request)
        if self._requests:
            with suppress(LogUnavailable):  # then it is found again, and known
                await self._requests.settle(writer.shard)

    async def _request(self, writer: ShardWriter) -> str | None:
        if not self._requests or not writer.claimed:
            return None
        try:
            return await self._requests.pending(writer.shard)
        except LogUnavailable:  # whoever asks is told so
            return None

    def due(self, writer: ShardWriter) -> bool:
        due = self._times.due(writer.shard, writer.fold)
        # After a failure the store lacks what the shard has taken in by then, whatever else is so.
        return writer.claimed and (due or self.stored(writer.shard).problem is not None)

    async def seal(self, writer: ShardWriter, *, choose: Choose = to_merge) -> None:
        """Seal all rows of the shard as it is now, together with the segments chosen, and publish that.

        Raises what `SEALING_FAILED` has; the shard is as good as before then.
        """
        # Before what it tells of: a machine may sleep for days in the middle of this, while Kafka forgets deletes.
        now_ms, now_s = self._now_ms(), self._times.now()
        contents = await self._thread.run(writer.fold.contents)
        merged = choose(
            len(contents.rows),
            [
                Occupancy(name, part.description.rows, int(np.count_nonzero(part.live)))
                for name, part in contents.sealed.items()
            ],
        )
        parts = {name: part for name, part in contents.sealed.items() if name not in merged}
        added = []
        if contents.rows or any(contents.sealed[name].live.any() for name in merged):
            segment = await self._sealed(contents, merged)
            added.append(segment)
            parts[segment.name] = SealedPart(description=segment.description, live=segment.live)
        await self._thread.run(writer.fold.exchange, added, dropped=merged)
        self._metrics.merged.inc(len(merged))
        await asyncio.to_thread(self._store.forget, set(merged) - parts.keys())
        manifest = make_manifest(contents, parts, incarnation=self._incarnation, shard=writer.shard, now_ms=now_ms)
        await asyncio.to_thread(self._store.publish, manifest)
        self._times.published(writer.shard, manifest.position, at_s=now_s)
        await self._sweep(writer)
        self._metrics.manifest_position.labels(str(writer.shard)).set(manifest.position)
        self._metrics.manifest_written.labels(str(writer.shard)).set(now_ms / 1000)
        size = await asyncio.to_thread(self._store.size, writer.shard, incarnation=self._incarnation)
        self._note(writer.shard, position=manifest.position, bytes=size, problem=None)
        log.info(
            "shard_sealed", shard=writer.shard, position=manifest.position, merged=len(merged), segments=len(parts)
        )

    async def _sweep(self, writer: ShardWriter) -> None:
        """Remove what no manifest has named for two sweeps, between which the shard was ours."""
        condemned = self._condemned.pop(writer.shard, frozenset())
        swept = await asyncio.to_thread(
            self._store.sweep, writer.shard, incarnation=self._incarnation, condemned=condemned
        )
        writer.keep_from = swept.positions[1] if len(swept.positions) > 1 else None
        with suppress(LogUnavailable):
            if await writer.still_mine():
                self._condemned[writer.shard] = swept.unnamed

    def _note(self, shard: int, **changes: int | str | None) -> None:
        self._stored[shard] = msgspec.structs.replace(self.stored(shard), **changes)

    async def _sealed(self, contents: ShardContents, merged: Sequence[str]) -> SealedSegment:
        job = job_of(contents, merged, self._store)
        with self._metrics.seal_seconds.time():
            description = await self._build(job, contents)
        return await asyncio.to_thread(SealedSegment.open, self._store.folder / description.name, description)
