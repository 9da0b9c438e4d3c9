"""Sealing: what has grown becomes a segment, built in a process of its own, and a manifest says what there is then."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import numpy as np

from services.indexer.metrics import IndexerMetrics
from shared.index.compaction import Occupancy, to_merge, to_merge_into_one
from shared.index.contents import SealedPart, ShardContents
from shared.index.sealed.building import BuildFailed, BuildJob, PackedCodebook, SegmentBuild, Source
from shared.index.sealed.description import CorruptSegment, SegmentDescription
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

Build = Callable[[BuildJob, ShardContents], Awaitable[SegmentDescription]]
Choose = Callable[[int, Sequence[Occupancy]], Sequence[str]]
"""Which segments are merged, given the number of new rows and all segments, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPolicy:
    """When a shard is sealed: it has grown by `rows`, its newest manifest is old, or a segment has decayed.

    offsets: how far behind a manifest may fall. age_ms: after which it is written anew, since it is good for some days.
    decay_ms: how long a decayed segment waits after the newest manifest: a few rows that are replaced all the time make
    a small segment decay within seconds, and to build one takes a second, however small it is.
    """

    rows: int
    offsets: int
    age_ms: int = 24 * 60 * 60 * 1000
    decay_ms: int = 60 * 1000


@dataclass(frozen=True, slots=True)
class _Published:
    position: int
    at_s: float


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
        self._policy = policy
        self._thread = thread
        self._metrics = metrics
        self._now_ms = now_ms
        self._clock = clock
        self._requests = requests
        self._build = build or build_in_child
        self._published: dict[int, _Published] = {}
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
        self._published[shard] = _Published(EMPTY_POSITION if position is None else position, self._clock())
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
        fold = writer.fold
        published = self._published.setdefault(writer.shard, _Published(fold.restored_from, self._clock()))
        if not writer.claimed:
            return False
        if self.stored(writer.shard).problem:  # whatever the shard has taken in by now, the store lacks it
            return True
        if fold.position <= published.position:
            return False
        age_ms = 1000 * (self._clock() - published.at_s)
        return (
            fold.growing_rows >= self._policy.rows
            or fold.position - published.position >= self._policy.offsets
            or age_ms >= self._policy.age_ms
            or (age_ms >= self._policy.decay_ms and any(map(_decayed, fold.sealed.values())))
        )

    async def seal(self, writer: ShardWriter, *, choose: Choose = to_merge) -> None:
        """Seal all rows of the shard as it is now, together with the segments chosen, and publish that.

        Raises what `SEALING_FAILED` has; the shard is as good as before then.
        """
        # Before what it tells of: a machine may sleep for days in the middle of this, while Kafka forgets deletes.
        now_ms, now_s = self._now_ms(), self._clock()
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
        self._published[writer.shard] = _Published(manifest.position, now_s)
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
        vector_format = self._store.vector_format
        sources = [contents.sealed[name] for name in merged]
        job = BuildJob(
            folder=str(self._store.folder),
            scheme=contents.scheme or "",
            element=vector_format.element,
            metric=vector_format.metric,
            codebook=None if vector_format.codebook is None else PackedCodebook.of(vector_format.codebook),
            sources=[
                Source(description=source.description, live=np.packbits(source.live).tobytes()) for source in sources
            ],
        )
        with self._metrics.seal_seconds.time():
            description = await self._build(job, contents)
        return await asyncio.to_thread(SealedSegment.open, self._store.folder / description.name, description)


def _decayed(segment: SealedSegment) -> bool:
    return Occupancy(segment.name, segment.description.rows, len(segment)).decayed


async def build_in_child(job: BuildJob, contents: ShardContents) -> SegmentDescription:
    """Build in a process that ends when this is cancelled. Raises BuildFailed, OSError."""
    build = SegmentBuild(job)
    try:
        return await asyncio.to_thread(build.run, contents.rows, contents.codes)
    finally:
        build.end()
