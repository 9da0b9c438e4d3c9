"""From nothing to LIVE: a replica fetches what was sealed, verifies it, opens it and compares itself with the log."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.index.apart import apart
from benchmarks.index.building import built
from benchmarks.index.cache import Cache
from benchmarks.index.engines.afterimage import description_in, shard_of
from benchmarks.index.fed_log import INCARNATION, SHARD, FedLog, following
from benchmarks.index.lineup import OURS
from benchmarks.index.plan import Plan
from benchmarks.index.sets import clustered_set
from benchmarks.index.timing import Timer
from benchmarks.table import Measured, Part, counted
from shared.index.sealed.description import verify
from shared.index.sealed.segment import SealedSegment
from shared.index.vectors import VectorFormat
from shared.replication.store.manifest import make_manifest
from shared.replication.store.objects import FolderStore
from shared.replication.store.segment_store import SegmentStore
from shared.replication.store.snapshots import StoredSnapshots
from shared.runtime.executor import SingleThread

_MB = 1_000_000


class Boot(NamedTuple):
    """bytes: of the segment's files. live_s: from an empty replica to LIVE. verify_s: of that, reading and hashing."""

    rows: int
    bytes: int
    live_s: float
    verify_s: float


def measure(plan: Plan, cache: Cache) -> Iterator[Part]:
    sizes = sorted({max(plan.rows) // 10, *plan.rows})
    boots: dict[int, list[Boot]] = {size: [] for size in sizes}
    folders = {size: built(OURS, cache, clustered_set(plan, cache, size)) for size in sizes}
    for _ in counted("bootstrap: rounds", plan.rounds):
        for size in sizes:
            boots[size].append(apart(boot, folders[size]))
    largest, tenth = boots[sizes[-1]], boots[max(plan.rows) // 10]
    yield Part(
        title=f"Bootstrap, clustered x {plan.dimensions}: from an empty replica to LIVE",
        unit="seconds",
        rows=[
            Measured(name=f"{size:,} vectors", values=[each.live_s for each in measured], note=_note(measured))
            for size, measured in boots.items()
        ],
        ratios={
            "bootstrap_mb_per_s": max(each.bytes / each.live_s for each in largest) / _MB,
            "bootstrap_verify_mb_per_s": max(each.bytes / each.verify_s for each in largest) / _MB,
            "bootstrap_s_a_row_over_that_of_a_tenth": (
                min(each.live_s / each.rows for each in largest) / min(each.live_s / each.rows for each in tenth)
            ),
        },
        notes=["from a store in a folder, the pages of whose files are in memory: a disk or a network comes on top"],
    )


def boot(built_in: Path) -> Boot:
    """Bring a replica up, in a child, from a store with the segment that was built in a folder."""
    description = description_in(built_in)
    with tempfile.TemporaryDirectory(prefix="afterimage-bench-") as name:
        folder = Path(name)
        store, own = FolderStore(folder / "store"), folder / "own"
        own.mkdir()
        segment = SealedSegment(built_in / description.name, description)
        contents = shard_of([segment], description.vector_format).contents()
        manifest = make_manifest(contents, contents.sealed, incarnation=INCARNATION, shard=SHARD, now_ms=_now_ms())
        SegmentStore(store, built_in, VectorFormat()).publish(manifest)
        live_s = asyncio.run(_live(SegmentStore(store, own, VectorFormat()), description.last_offset))
        with Timer() as verifying:
            verify(own / description.name, description)
    return Boot(description.rows, description.bytes, live_s, verifying.wall_s)


async def _live(store: SegmentStore, head: int) -> float:
    with SingleThread("index") as thread:
        with Timer() as timer:
            snapshots = StoredSnapshots(store, now_ms=_now_ms)
            async with following(FedLog(head), None, thread, snapshots=snapshots) as replica:
                pass
        assert replica.position == head
    return timer.wall_s


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _note(boots: list[Boot]) -> str:
    fastest = min(boots, key=lambda each: each.live_s)
    return f"{fastest.bytes / _MB:.0f} MB, {fastest.bytes / fastest.live_s / _MB:.0f} MB/s"
