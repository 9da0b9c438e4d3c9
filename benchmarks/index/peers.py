"""Embedded vector databases: how long until a set can be searched, how fast, in how much memory, and after churn."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.index.apart import Apart
from benchmarks.index.cache import Cache
from benchmarks.index.databases.database import Database
from benchmarks.index.plan import Plan
from benchmarks.index.sets import clustered_set
from benchmarks.index.timing import Rate, Timer
from benchmarks.index.tuning import least_effort
from benchmarks.index.workload import K, RowNumbers, Vectors, Workload, exact_answers
from benchmarks.memory import MIB, resident_bytes
from benchmarks.table import Measured, Part, counted, median_ratio, say

OURS = "afterimage"
_RECALL = 0.95
_CHURNED = 0.2
_PHASES = {"built": "after the build", "churned": "after 20% were deleted and as many added"}

DATABASES: Mapping[str, tuple[str, str]] = {
    OURS: ("ours", "Ours"),
    "milvus_lite": ("milvus", "Milvus"),
    "lancedb": ("lance", "Lance"),
    "chromadb": ("chroma", "Chroma"),
}
"""Module and class, by the names of ratios."""


class Ingest(NamedTuple):
    """Seconds until all could be found, and until an index found them; cpu_s: of the processor, for the latter."""

    searchable_s: float
    settled_s: float
    cpu_s: float


@dataclass(slots=True)
class Phase:
    """One database in one phase. effort: None where none reaches the recall."""

    ingest: Ingest
    resident: int
    effort: int | None
    recall: float
    rates: list[Rate] = field(default_factory=list)


def measure(plan: Plan, cache: Cache, *, names: Mapping[str, tuple[str, str]] = DATABASES) -> Iterator[Part]:
    rows = min(plan.rows)
    workload = clustered_set(plan, cache, rows)
    with ExitStack() as stack:
        seats = {name: stack.enter_context(Apart(Peer, names[name], workload, plan.queries)) for name in names}
        titles = {name: seat.call("title") for name, seat in seats.items()}
        for phase, described in _PHASES.items():
            phases = {}
            for name, seat in seats.items():
                say(f"{name}: {phase}")
                ingest = Ingest(*seat.call(phase))
                effort, recall = seat.call("least_effort", _RECALL)
                phases[name] = Phase(ingest, seat.call("resident"), effort, recall)
            for _ in counted(f"peers, {phase}: rounds", plan.rounds):
                for name, found in phases.items():
                    if found.effort is not None:
                        found.rates.append(seats[name].call("rate", found.effort))
            title = f"{rows:,} clustered x {plan.dimensions}, {described}"
            suffix = "" if phase == "built" else "_churned"
            yield _ingest(phases, titles, title, suffix)
            yield _speed(phases, titles, title, suffix)
            yield _memory(phases, titles, title, suffix)


class Peer:
    """Lives in a child. It holds five sixths of the set at a time: the last sixth comes with the churn."""

    def __init__(self, made: tuple[str, str], workload: Path, asked: int) -> None:
        module, name = made
        make: Callable[[], Database] = getattr(import_module(f"benchmarks.index.databases.{module}"), name)
        self._folder = Path(tempfile.mkdtemp(prefix="afterimage-bench-"))
        self._workload = workload
        everything = Workload.load(workload)
        self._queries = np.array(everything.queries[:asked])
        self._rows, dimensions = everything.base.shape
        self._first = round(self._rows / (1 + _CHURNED))
        del everything  # mapped pages that it keeps would count as memory of the database
        _warm_up(make())
        self._before = resident_bytes(os.getpid())
        self._database = make()
        self._database.create(self._folder, dimensions)
        self._formed = self._database.form(self._queries)
        self._exact: RowNumbers

    def title(self) -> str:
        return self._database.name

    def built(self) -> Ingest:
        return self._take(np.arange(self._first), np.empty(0, np.int64))

    def churned(self) -> Ingest:
        gone = np.random.default_rng(0).choice(self._first, self._rows - self._first, replace=False)
        return self._take(np.arange(self._first, self._rows), gone)

    def resident(self) -> int:
        """What the process grew by; the vectors that it was given are gone by then."""
        return resident_bytes(os.getpid()) - self._before

    def least_effort(self, recall: float) -> tuple[int | None, float]:
        known: dict[int, float] = {}

        def at(effort: int) -> float:
            if effort not in known:
                known[effort] = self._recall(effort)
            return known[effort]

        effort = least_effort(self._database.efforts, at, recall)
        return effort, at(effort or self._database.efforts[-1])

    def rate(self, effort: int) -> Rate:
        self._database.tune(effort)
        nearest = self._database.nearest
        nearest(self._formed[0], K)
        with Timer() as timer:
            for query in self._formed:
                nearest(query, K)
        return timer.rate(len(self._formed))

    def close(self) -> None:
        self._database.close()
        shutil.rmtree(self._folder)

    def _take(self, added: RowNumbers, gone: RowNumbers) -> Ingest:
        base = Workload.load(self._workload).base
        vectors: Vectors = np.array(base[added])
        with Timer() as settled:
            with Timer() as searchable:
                if len(gone):
                    self._database.delete(gone)
                self._database.add(added, vectors)
            self._database.settle()
        live = np.setdiff1d(np.arange(added[-1] + 1), gone)
        self._exact = live[exact_answers(np.array(base[live]), self._queries)]
        return Ingest(searchable.wall_s, settled.wall_s, settled.cpu_s)

    def _recall(self, effort: int) -> float:
        self._database.tune(effort)
        found = [set(self._database.nearest(query, K)) for query in self._formed]
        return sum(len(rows & set(exact)) for rows, exact in zip(found, self._exact.tolist(), strict=True)) / (
            K * len(found)
        )


def _warm_up(database: Database) -> None:
    """Have everything loaded that a database needs, so that what it grows by is its own."""
    vectors = np.random.default_rng(0).standard_normal((500, 8), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        database.create(Path(folder), 8)
        database.add(np.arange(500), vectors)
        database.settle()
        database.tune(database.efforts[0])
        database.nearest(database.form(vectors[:1])[0], K)
        database.close()


def _ingest(phases: Mapping[str, Phase], titles: Mapping[str, str], title: str, suffix: str) -> Part:
    ours = phases[OURS].ingest.settled_s
    return Part(
        title=f"Peers, {title}: ingest until it is searched by an index",
        unit="seconds by the clock, as many threads as each takes",
        rows=[
            Measured(
                name=titles[name],
                values=[phase.ingest.settled_s],
                note=f"found at all after {phase.ingest.searchable_s:.2f}, processor {phase.ingest.cpu_s:.1f}",
            )
            for name, phase in phases.items()
        ],
        ratios={
            f"ingest_over_{name}{suffix}": phase.ingest.settled_s / ours
            for name, phase in phases.items()
            if name != OURS
        },
    )


def _speed(phases: Mapping[str, Phase], titles: Mapping[str, str], title: str, suffix: str) -> Part:
    reached = {name: phase for name, phase in phases.items() if phase.effort is not None}
    wall = {name: [rate.wall for rate in phase.rates] for name, phase in reached.items()}
    return Part(
        title=f"Peers, {title}: search, recall@10 at least {_RECALL}, one query at a time",
        unit="queries/s by the clock, as many threads as each takes",
        rows=[
            Measured(
                name=titles[name],
                values=wall[name],
                note=f"effort {phase.effort}, recall {phase.recall:.4f}, "
                f"{np.median([rate.cpu for rate in phase.rates]):.0f}/s of processor time",
            )
            for name, phase in reached.items()
        ],
        ratios={
            f"search_over_{name}{suffix}": median_ratio(wall[OURS], wall[name])
            for name in reached
            if name != OURS and OURS in reached
        },
        notes=[
            f"{titles[name]} reaches {phase.recall:.3f} only" for name, phase in phases.items() if phase.effort is None
        ],
    )


def _memory(phases: Mapping[str, Phase], titles: Mapping[str, str], title: str, suffix: str) -> Part:
    return Part(
        title=f"Peers, {title}: memory",
        unit="MiB that the process grew by",
        rows=[Measured(name=titles[name], values=[phase.resident / MIB]) for name, phase in phases.items()],
        ratios={
            f"memory_over_{name}{suffix}": phases[OURS].resident / phase.resident
            for name, phase in phases.items()
            if name != OURS
        },
    )
