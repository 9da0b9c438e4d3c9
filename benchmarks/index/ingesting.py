"""Search while ingesting: a searcher follows a log in Redis that an indexer's writer fills, at several rates.

The writer and Redis have machines of their own in earnest; here they share the searcher's. So the searcher is also kept
to one core, with ingestion and without, and the others to what is left; and it follows a log as fast as it can that was
written before.
"""

import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.index.apart import Apart
from benchmarks.index.building import built
from benchmarks.index.cache import Cache
from benchmarks.index.cores import cores_here, keep_to
from benchmarks.index.engines.afterimage import Afterimage
from benchmarks.index.fed_log import INCARNATION, SHARD, NoHistory, Unobserved
from benchmarks.index.lineup import OURS
from benchmarks.index.plan import Plan
from benchmarks.index.rows import upsert_of
from benchmarks.index.sets import clustered_set
from benchmarks.index.workload import K, Workload
from benchmarks.table import Measured, Part, counted, median_ratio
from services.searcher.batches import SearchBatches
from shared.index.query import Query
from shared.index.shard import Shard
from shared.replication.connection import connect
from shared.replication.directory import ReplicaDirectory
from shared.replication.redis_log import RedisLog
from shared.replication.replica import ShardReplica
from shared.replication.replica_set import ReplicaSet
from shared.replication.writer import ShardWriter
from shared.runtime.executor import SingleThread
from tests.harness.redis import RedisServer

_NAMESPACE = "benchmark"
_BATCH = 512
_WINDOW = 100_000
_IN_FLIGHT = 16
"""Searches under way at a time: those that wait while others run are run together."""
_MOST_GROWING = 25_000
"""Rows that grow: half of what an indexer seals at, so the mean of what a searcher holds while much is ingested."""


_WRITTEN_BEFORE = 80_000
"""Operations: more than a searcher that is asked all the time applies in a round, fewer than the log holds."""
_IDLE = "idle"
_BEFORE = "as fast as it reads, from a log that was written before"
_FLOODED = "as fast as the writer can"
_PACES: dict[str, int | None] = {_IDLE: 0, "1,000 operations/s": 1_000, "5,000 operations/s": 5_000, _FLOODED: None}
"""Operations a second that the writer appends."""
_ON_ONE_CORE = "the searcher on one core, "
"""Before the name of a pace."""


class Busy(NamedTuple):
    """queries_per_s, applied_per_s: by the clock. p99_ms: of a search, with its wait."""

    queries_per_s: float
    p99_ms: float
    applied_per_s: float


def measure(plan: Plan, cache: Cache) -> Iterator[Part]:
    rows = max(plan.rows)
    growing = min(_MOST_GROWING, rows)
    workload = clustered_set(plan, cache, rows)
    folder = built(OURS, cache, workload)
    measured: dict[str, list[Busy]] = defaultdict(list)
    cores = sorted(cores_here())
    divisions = {"": (cores, cores)} | ({_ON_ONE_CORE: (cores[:1], cores[1:])} if len(cores) > 1 else {})
    with tempfile.TemporaryDirectory(prefix="afterimage-bench-") as scratch:
        redis = RedisServer(Path(scratch))
        redis.start()
        try:
            with (
                Apart(FloodingWriter, folder, workload, redis.url, growing) as writer,
                Apart(BusySearcher, folder, workload, redis.url, writer.call("position")) as searcher,
                ThreadPoolExecutor(1) as pool,
            ):
                for _ in counted("search while ingesting: rounds", plan.rounds):
                    for division, (for_searcher, for_others) in divisions.items():
                        keep_to(for_searcher, searcher.pid)
                        keep_to(for_others, writer.pid, redis.pid)
                        for name, busy in _round(searcher, writer, pool, plan.while_s):
                            measured[division + name].append(busy)
        finally:
            redis.stop()
    yield _part(measured, rows, growing, plan.dimensions)


def _round(searcher: Apart, writer: Apart, pool: ThreadPoolExecutor, seconds: float) -> Iterator[tuple[str, Busy]]:
    for name, per_s in _PACES.items():
        searcher.call("catch_up", writer.call("head"))
        flooding = pool.submit(writer.call, "flood", seconds, per_s)
        yield name, Busy(*searcher.call("search", seconds))
        flooding.result()
    searcher.call("catch_up", writer.call("head"))
    writer.call("append", _WRITTEN_BEFORE)  # the searcher reads nothing between two calls
    yield _BEFORE, Busy(*searcher.call("search", seconds))


def _part(measured: Mapping[str, list[Busy]], rows: int, growing: int, dimensions: int) -> Part:
    rates = {name: [busy.queries_per_s for busy in rounds] for name, rounds in measured.items()}
    over_idle = {
        name: median_ratio(each, rates[_ON_ONE_CORE + _IDLE if name.startswith(_ON_ONE_CORE) else _IDLE])
        for name, each in rates.items()
    }
    ratios = {
        "search_while_ingesting": _FLOODED,
        "search_while_ingesting_written_before": _BEFORE,
        "search_while_ingesting_1000_per_s": "1,000 operations/s",
        "search_while_ingesting_5000_per_s": "5,000 operations/s",
    }
    return Part(
        title=f"Search while ingesting, {rows:,} sealed and {growing:,} growing rows x {dimensions}",
        unit="queries/s by the clock",
        rows=[
            Measured(
                name=name,
                values=rates[name],
                note=f"{over_idle[name]:.2f} of idle, p99 {np.median([busy.p99_ms for busy in rounds]):.1f} ms, "
                f"{np.median([busy.applied_per_s for busy in rounds]):.0f} operations applied/s",
            )
            for name, rounds in measured.items()
        ],
        ratios={name: over_idle[pace] for name, pace in ratios.items()}
        | {
            f"{name}_on_one_core": over_idle[_ON_ONE_CORE + pace]
            for name, pace in ratios.items()
            if _ON_ONE_CORE + pace in over_idle
        },
        notes=[
            f"searched as in a searcher, by the thread that changes the shard; {_IN_FLIGHT} searches under way",
            "the writer, Redis and the searcher share this machine's cores, but in the rows that say so",
            "there the writer and Redis have the other cores, and idle is what the searcher does on its one",
        ],
    )


class FloodingWriter:
    """Lives in a child: an indexer's writer, which replaces the rows that grow, over and over."""

    def __init__(self, folder: Path, workload: Path, redis: str, growing: int) -> None:
        engine = Afterimage()
        engine.open(folder)
        self._runner = asyncio.Runner()
        self._resources = AsyncExitStack()
        thread = self._resources.enter_context(SingleThread("index"))
        self._codes = engine.form(np.array(Workload.load(workload).base[:growing]))  # many alike would all be found
        self._runner.run(self._start(engine.shard, redis, thread))
        self._first, self._growing = self._writer.fold.position + 1, growing
        self.append(growing)

    def append(self, count: int) -> None:
        """Append at least so many operations."""
        for _ in range(-(-count // _BATCH)):
            self._runner.run(self._append())

    def position(self) -> int:
        """Where the log began, which is that of the sealed rows."""
        return self._first - 1

    def head(self) -> int:
        """What the log has reached."""
        return self._writer.fold.position

    def flood(self, seconds: float, per_s: int | None) -> None:
        """Append for so long. per_s: operations a second; None for as many as can be; 0 for none."""
        if per_s == 0:
            return
        self._runner.run(self._flood(time.monotonic() + seconds, per_s))

    def close(self) -> None:
        self._runner.run(self._resources.aclose())
        self._runner.close()

    async def _start(self, shard: Shard, redis: str, thread: SingleThread) -> None:
        log = RedisLog(await self._resources.enter_async_context(connect(redis)), namespace=_NAMESPACE)
        self._writer = ShardWriter(SHARD, log, incarnation=INCARNATION, window=_WINDOW, thread=thread)
        self._writer.fold = shard
        await self._writer.claim()

    async def _flood(self, until: float, per_s: int | None) -> None:
        next_at = time.monotonic()
        while time.monotonic() < until:
            await self._append()
            if per_s is not None:
                next_at += _BATCH / per_s
                await asyncio.sleep(max(0.0, min(next_at, until) - time.monotonic()))

    async def _append(self) -> None:
        first = self._writer.fold.position + 1
        operations = [
            upsert_of(self._first + offset % self._growing, self._codes[offset % self._growing], offset=offset)
            for offset in range(first, first + _BATCH)
        ]
        await self._writer.append(operations, position=first + _BATCH - 1)


class BusySearcher:
    """Lives in a child: the replica of a searcher, and those who ask it."""

    def __init__(self, folder: Path, workload: Path, redis: str, position: int) -> None:
        engine = Afterimage()
        engine.open(folder)
        assert engine.shard.position == position
        self._shard = engine.shard
        self._codes = engine.form(np.array(Workload.load(workload).queries))
        self._redis = redis
        self._runner = asyncio.Runner()
        self._resources = AsyncExitStack()
        self._replicas = self._runner.run(self._resources.enter_async_context(self._following()))
        self._batches = SearchBatches(self._replicas)

    def catch_up(self, head: int) -> None:
        self._runner.run(self._replicas.reach({SHARD: head}))

    def search(self, seconds: float) -> Busy:
        return self._runner.run(self._search(seconds))

    def close(self) -> None:
        self._runner.run(self._resources.aclose())
        self._runner.close()

    async def _search(self, seconds: float) -> Busy:
        codes = cycle(self._codes)
        took: list[float] = []
        began, until = self._shard.position, time.perf_counter() + seconds

        async def ask() -> None:
            while (asked := time.perf_counter()) < until:
                await self._batches.search(Query(code=next(codes), k=K))
                took.append(time.perf_counter() - asked)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(_IN_FLIGHT):
                tasks.create_task(ask())
        applied = self._shard.position - began
        return Busy(len(took) / seconds, 1000 * float(np.percentile(took, 99)), applied / seconds)

    @asynccontextmanager
    async def _following(self) -> AsyncIterator[ReplicaSet]:
        async with connect(self._redis) as redis:
            log = RedisLog(redis, namespace=_NAMESPACE)
            with SingleThread("index") as thread:
                replica = ShardReplica(
                    SHARD,
                    incarnation=INCARNATION,
                    make_shard=lambda: self._shard,
                    log_=log,
                    history=NoHistory(),
                    thread=thread,
                    observer=Unobserved(),
                    clock=time.monotonic,
                )
                replicas = ReplicaSet(
                    {SHARD: replica},
                    name="benchmark",
                    log_=log,
                    directory=ReplicaDirectory(redis, namespace=_NAMESPACE),
                    thread=thread,
                )
                running = asyncio.create_task(replicas.run())
                await replicas.live()
                yield replicas
                running.cancel()
                await asyncio.wait([running])
