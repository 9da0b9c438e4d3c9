"""Churn, like the streaming track of big-ann-benchmarks: rows come and go, several times over, and are searched."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.index.apart import apart
from benchmarks.index.cache import Cache
from benchmarks.index.clustered import clustered
from benchmarks.index.engines import quantized
from benchmarks.index.plan import Plan
from benchmarks.index.rows import delete_of, upsert_of
from benchmarks.index.sealing_shard import sealing_shard
from benchmarks.index.workload import K, RowNumbers, Vectors, exact_answers
from benchmarks.memory import resident_bytes
from benchmarks.table import Measured, Part, counted
from services.indexer.sealing.sealer import SealSegments
from shared.events.operations import Operation
from shared.replication.writer import ShardWriter

_SEED = 11
_ASKED = 200
_STEPS_PER_TURNOVER = 10
_SEALED_PER_WINDOW = 4
"""The window of live rows is sealed in so many parts: as a shard of 200,000 is with the indexer's own setting."""


class Step(NamedTuple):
    """After a step of the churn.

    recall: of the exact answer in float32. of_codes: of the exact answer among the codes, whose loss is left out so.
    bytes: the codes that grow, and the files of the sealed segments.
    """

    recall: float
    of_codes: float
    bytes: int
    resident: int
    segments: int
    queries_per_s: float


class Churned(NamedTuple):
    """fresh: the same rows at the end, written anew into one segment, in a shard that has seen nothing else."""

    steps: list[Step]
    fresh: Step


def measure(plan: Plan, cache: Cache) -> Iterator[Part]:  # noqa: ARG001 - every part is called alike
    churned: Churned = apart(_churn, plan.window, plan.dimensions, plan.turnovers)
    fresh, steps = churned.fresh, churned.steps
    title = f"Churn, {plan.window:,} live rows x {plan.dimensions}, {plan.turnovers} turnovers, sealed and merged"
    yield Part(
        title=f"{title}: recall@10",
        unit="percent of the exact answer",
        rows=[
            _recall_row("over time", steps, "recall"),
            _recall_row("over time, of the codes'", steps, "of_codes"),
            _recall_row("fresh build", [fresh], "recall"),
            _recall_row("fresh build, of the codes'", [fresh], "of_codes"),
        ],
        ratios={
            "churn_recall_min": min(step.recall for step in steps),
            "churn_recall_fresh": fresh.recall,
            "churn_recall_of_codes_min": min(step.of_codes for step in steps),
        },
        notes=[
            "by the default settings, after each tenth of a turnover; of float32 vectors, and of the codes themselves"
        ],
    )
    yield Part(
        title=f"{title}: memory",
        unit="bytes a live row: codes that grow, files that are mapped",
        rows=[
            Measured(
                name="over time",
                values=[step.bytes / plan.window for step in steps],
                note=_series(steps, "bytes", plan.window),
            ),
            Measured(name="fresh build", values=[fresh.bytes / plan.window]),
        ],
        ratios={
            "churn_memory_ratio": max(step.bytes for step in steps) / fresh.bytes,
            "churn_memory_ratio_mean": sum(step.bytes for step in steps) / len(steps) / fresh.bytes,
            "churn_resident_growth_mib": (steps[-1].resident - steps[len(steps) // 3].resident) / 2**20,
        },
        notes=["resident growth: of the whole process, from the end of the first third to the end"],
    )
    yield Part(
        title=f"{title}: speed and segments",
        unit="queries/s of processor time, one thread",
        rows=[
            Measured(
                name="over time",
                values=[step.queries_per_s for step in steps],
                note=f"{min(step.segments for step in steps)} to {max(step.segments for step in steps)} segments",
            ),
            Measured(name="fresh build", values=[fresh.queries_per_s], note=f"{fresh.segments} segment"),
        ],
        ratios={
            "churn_search_over_fresh": float(np.median([step.queries_per_s for step in steps])) / fresh.queries_per_s
        },
    )


def _churn(window: int, dimensions: int, turnovers: int) -> Churned:
    return asyncio.run(_Churn(window, dimensions, turnovers).run())


class _Churn:
    """A shard's writer with its sealing, as the indexer has them, fed from here."""

    def __init__(self, window: int, dimensions: int, turnovers: int) -> None:
        vectors = clustered(window * (1 + turnovers) + _ASKED, dimensions, seed=_SEED)
        self._vectors, self._queries = vectors[_ASKED:], vectors[:_ASKED]
        self._codes = quantized.for_cosine(self._vectors)
        query_codes = quantized.for_cosine(self._queries)
        self._query_codes = [code.tobytes() for code in query_codes]
        self._decoded, self._decoded_queries = _decoded(self._codes), _decoded(query_codes)
        self._rng = np.random.default_rng(_SEED)
        self._window = window
        self._live = np.empty(0, np.int64)
        self._added = 0
        self._offset = 0

    async def run(self) -> Churned:
        steps = []
        part = self._window // _STEPS_PER_TURNOVER
        async with self._shard() as (writer, sealing):
            await self._step(writer, sealing, added=self._window, deleted=0)
            for _ in counted("churn: steps", (len(self._vectors) - self._window) // part):
                await self._step(writer, sealing, added=part, deleted=part)
                steps.append(self._look(writer))
        async with self._shard() as (writer, sealing):
            await self._put(writer, self._live)
            await sealing.seal(writer)
            return Churned(steps, self._look(writer))

    async def _step(self, writer: ShardWriter, sealing: SealSegments, *, added: int, deleted: int) -> None:
        gone = self._rng.choice(self._live, deleted, replace=False) if deleted else np.empty(0, np.int64)
        new = np.arange(self._added, self._added + added)
        self._added += added
        await self._put(writer, new)
        await self._append(writer, [delete_of(number, offset=self._next_offsets(1)) for number in gone.tolist()])
        self._live = np.concatenate([np.setdiff1d(self._live, gone), new])
        if sealing.due(writer):
            await sealing.seal(writer)

    async def _put(self, writer: ShardWriter, numbers: RowNumbers) -> None:
        first = self._next_offsets(len(numbers))
        operations = [
            upsert_of(number, self._codes[number].tobytes(), offset=first + place)
            for place, number in enumerate(numbers.tolist())
        ]
        await self._append(writer, operations)

    async def _append(self, writer: ShardWriter, operations: list[Operation]) -> None:
        if operations:
            await writer.append(operations, position=operations[-1].offset)

    def _next_offsets(self, count: int) -> int:
        self._offset += count
        return self._offset - count

    def _look(self, writer: ShardWriter) -> Step:
        started = time.process_time()
        answers = [writer.fold.search(code, K) for code in self._query_codes]
        took = time.process_time() - started
        found = [{int(match.row.id) for match in matches} for matches in answers]
        assert len(writer.fold) == len(self._live)
        return Step(
            recall=self._recall(found, self._vectors, self._queries),
            of_codes=self._recall(found, self._decoded, self._decoded_queries),
            bytes=writer.fold.statistics.memory_bytes + writer.fold.statistics.mapped_bytes,
            resident=resident_bytes(os.getpid()),
            segments=len(writer.fold.sealed),
            queries_per_s=len(answers) / took,
        )

    def _recall(self, found: list[set[int]], vectors: Vectors, queries: Vectors) -> float:
        exact = self._live[exact_answers(vectors[self._live], queries)]
        hits = [len(rows & set(nearest)) for rows, nearest in zip(found, exact.tolist(), strict=True)]
        return sum(hits) / (K * len(hits))

    @asynccontextmanager
    async def _shard(self) -> AsyncIterator[tuple[ShardWriter, SealSegments]]:
        """An empty one."""
        with tempfile.TemporaryDirectory(prefix="afterimage-bench-") as folder:
            async with sealing_shard(Path(folder), seal_rows=self._window // _SEALED_PER_WINDOW) as shard:
                yield shard


def _recall_row(name: str, steps: list[Step], of: str) -> Measured:
    return Measured(name=name, values=[100 * getattr(step, of) for step in steps], note=_series(steps, of, 0.01))


def _decoded(codes: quantized.Bytes) -> Vectors:
    vectors = codes.astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _series(steps: list[Step], field: str, per: float) -> str:
    """The value at the end of each turnover."""
    at_ends = [getattr(step, field) / per for step in steps[_STEPS_PER_TURNOVER - 1 :: _STEPS_PER_TURNOVER]]
    return "after each turnover: " + ", ".join(f"{value:.4g}" for value in at_ends) if at_ends else ""
