"""A shard's writer with its sealing, as the indexer has them, over a log in memory and a store in a folder."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry

from benchmarks.index.fed_log import INCARNATION, SHARD
from services.indexer.metrics import IndexerMetrics
from services.indexer.sealing.policy import SealPolicy
from services.indexer.sealing.sealer import SealSegments
from shared.index.vectors import VectorFormat
from shared.replication.store.objects import FolderStore
from shared.replication.store.segment_store import SegmentStore
from shared.replication.writer import ShardWriter
from shared.runtime.executor import SingleThread
from tests.fakes.replication_log import FakeLog


@asynccontextmanager
async def sealing_shard(folder: Path, *, seal_rows: int) -> AsyncIterator[tuple[ShardWriter, SealSegments]]:
    """An empty shard, claimed. Its segments are in `own` in the folder. seal_rows: after which a seal is due."""
    own = folder / "own"
    own.mkdir()
    with SingleThread("index") as thread:
        sealing = SealSegments(
            SegmentStore(FolderStore(folder / "store"), own, VectorFormat()),
            incarnation=INCARNATION,
            policy=SealPolicy(rows=seal_rows, offsets=8 * seal_rows),
            thread=thread,
            metrics=IndexerMetrics(CollectorRegistry()),
            now_ms=lambda: time.time_ns() // 1_000_000,
            clock=time.monotonic,
        )
        writer = ShardWriter(SHARD, FakeLog(), incarnation=INCARNATION, window=0, thread=thread)
        await writer.claim()
        yield writer, sealing
