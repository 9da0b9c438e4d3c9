"""A writer of one shard that seals, in this process and without servers."""

from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry

from services.indexer.metrics import IndexerMetrics
from services.indexer.sealing.policy import SealPolicy
from services.indexer.sealing.sealer import SealSegments
from shared.events.operations import Operation
from shared.index.contents import ShardContents
from shared.index.sealed.building import BuildJob
from shared.index.sealed.description import SegmentDescription
from shared.index.sealed.segment import SealedSegment
from shared.index.sealed.writing import write_segment
from shared.index.vectors import VectorFormat
from shared.replication.log import LogUnavailable
from shared.replication.store.objects import ObjectStore
from shared.replication.store.segment_store import SegmentStore
from shared.replication.writer import ShardWriter
from tests.fakes.inline_thread import InlineThread
from tests.fakes.operations import INCARNATION
from tests.fakes.replicated import NOW_MS
from tests.fakes.replication_log import FakeLog

SHARD = 0
FIVE_ROWS = SealPolicy(rows=5, offsets=1_000)


async def build_here(job: BuildJob, contents: ShardContents) -> SegmentDescription:
    """What the child does, without a child."""
    rows, codes = list(contents.rows), [*contents.codes]
    for source in job.sources:
        segment = SealedSegment.open(Path(job.folder) / source.description.name, source.description)
        live = np.unpackbits(np.frombuffer(source.live, np.uint8), count=source.description.rows)
        segment.set_live(live.astype(np.bool_))
        more_rows, more_codes = segment.live_rows()
        rows += more_rows
        codes += [*more_codes]
    order = sorted(range(len(rows)), key=lambda number: rows[number].offset)
    return write_segment(
        Path(job.folder),
        [rows[number] for number in order],
        np.array([codes[number] for number in order]),
        scheme=job.scheme,
        vector_format=VectorFormat(job.element, job.metric),
    )


class FakeRequests:
    """Takes the place of CompactionRequests."""

    def __init__(self) -> None:
        self.asked: dict[int, str] = {}
        self.down = False

    async def ask(self, shard: int, request: str) -> str:
        return self.asked.setdefault(shard, request)

    async def pending(self, shard: int) -> str | None:
        if self.down:
            raise LogUnavailable("Redis is down")
        return self.asked.get(shard)

    async def settle(self, shard: int) -> None:
        if self.down:
            raise LogUnavailable("Redis is down")
        del self.asked[shard]


class SealingWriter:
    """folder: of this process alone. now_ms: the time of day here. clock_s: the monotonic clock.

    builds_for_ms: what a build takes of the day.
    """

    def __init__(
        self,
        objects: ObjectStore,
        folder: Path,
        *,
        log: FakeLog | None = None,
        policy: SealPolicy = FIVE_ROWS,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.now_ms = NOW_MS
        self.clock_s = 0.0
        self.built = 0
        self.builds_for_ms = 0
        self.requests = FakeRequests()
        self.store = SegmentStore(objects, folder, VectorFormat())
        self.log = log or FakeLog()
        self.writer = ShardWriter(SHARD, self.log, incarnation=INCARNATION, window=10, thread=InlineThread())
        self.sealer = SealSegments(
            self.store,
            incarnation=INCARNATION,
            policy=policy,
            thread=InlineThread(),
            metrics=IndexerMetrics(CollectorRegistry()),
            now_ms=lambda: self.now_ms,
            clock=lambda: self.clock_s,
            requests=self.requests,  # type: ignore[arg-type]
            build=self._build,
        )

    async def start(self) -> None:
        """As the indexer does: restore, then claim."""
        if (restored := await self.sealer.restore(SHARD)) is not None:
            self.writer.fold = restored
        await self.writer.claim()

    async def _build(self, job: BuildJob, contents: ShardContents) -> SegmentDescription:
        self.built += 1
        self.now_ms += self.builds_for_ms
        return await build_here(job, contents)

    async def append(self, *operations: Operation) -> None:
        await self.writer.append(operations, position=operations[-1].offset)
