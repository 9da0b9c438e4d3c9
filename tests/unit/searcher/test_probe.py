"""A share of the queries is repeated exactly, and the effort learns from it: on the graph of a sealed segment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from services.searcher.effort import EffortPolicy, SearchEffort
from services.searcher.metrics import SearcherMetrics
from services.searcher.probe import RecallProbe
from shared.index.query import Query
from shared.index.recall import sample_recall
from shared.index.sealed.segment import SealedSegment
from shared.index.shard import Shard
from shared.index.vectors import VectorFormat
from tests.fakes.operations import code, upsert
from tests.fakes.replicas import FakeReplicas
from tests.fakes.segments import codes_of, write

ROWS, K = 4_000, 10
FORMAT = VectorFormat("i8", "cos")
CODES = codes_of(np.random.default_rng(1).normal(size=(ROWS + 100, 64)).astype(np.float32), FORMAT)
"""In no clusters: what is hardest to find by a graph."""


@pytest.fixture(scope="module")
def shard(tmp_path_factory: pytest.TempPathFactory) -> Shard:
    """All rows sealed but the last hundred."""
    folder = tmp_path_factory.mktemp("segments")
    shard = Shard(FORMAT)
    sealed, growing = range(ROWS - 100), range(ROWS - 100, ROWS)
    shard.apply([upsert(n, str(n), of=CODES[n].tobytes()) for n in sealed], position=sealed[-1])
    contents = shard.contents()
    description = write(folder, contents.rows, contents.codes, FORMAT)
    shard.exchange([SealedSegment.open(folder / description.name, description)], dropped=[])
    shard.apply([upsert(n, str(n), of=CODES[n].tobytes()) for n in growing], position=growing[-1])
    return shard


class Bench:
    def __init__(self, shard: Shard, *, share: float = 1.0, least: int = 1, chance: float = 0.5) -> None:
        self.replicas = FakeReplicas(1)
        self.replicas.shards[0] = shard
        self.registry = CollectorRegistry()
        self.effort = SearchEffort(EffortPolicy(least=least, most=384, target=0.95))
        self.probe = RecallProbe(
            self.replicas,  # type: ignore[arg-type]
            self.effort,
            SearcherMetrics(self.registry),
            share=share,
            chance=lambda: chance,
        )

    def query(self, number: int, *, exact: bool = False) -> Query:
        return Query(code=CODES[ROWS + number % 100].tobytes(), k=K, effort=self.effort.candidates, exact=exact)

    def probes(self, outcome: str) -> float:
        return self.registry.get_sample_value("afterimage_searcher_recall_probes_total", {"outcome": outcome}) or 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.probe.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def repeat(self, queries: int) -> None:
        """Offer one at a time, and wait until it was measured."""
        for number in range(queries):
            before = self.probes("measured")
            self.probe.offer(self.query(number))
            while self.probes("measured") == before:  # noqa: ASYNC110 - it tells only who asks
                await asyncio.sleep(0.001)  # to ask all the while would take the interpreter from its thread


def truth(query: Query) -> set[str]:
    nearest = np.argsort(-similarities(query))[: query.k]
    return {str(number) for number in nearest}


def similarities(query: Query) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    rows = CODES[:ROWS].view(np.int8).astype(np.float64)
    mine = np.frombuffer(query.code, np.int8).astype(np.float64)
    return rows @ mine / np.linalg.norm(rows, axis=1) / np.linalg.norm(mine)


async def test_the_recall_that_is_measured_is_that_of_the_answer(shard: Shard) -> None:
    bench = Bench(shard)
    measured = []
    for number in range(50):
        query = bench.query(number)
        hits = {match.row.id for match in shard.search_all([query])[0]}
        sample = sample_recall({0: shard}, query)
        assert sample.walked
        recall = sample.measure()
        assert recall == pytest.approx(len(hits & truth(query)) / K, abs=1e-6)
        measured.append(recall)
    assert min(measured) < 0.8  # else nothing was to be measured


async def test_with_an_effort_that_is_too_small_it_rises_until_searches_find_what_they_should(shard: Shard) -> None:
    bench = Bench(shard, least=1)
    async with bench.running():
        await bench.repeat(20)
        first = bench.effort.recall
        for _ in range(20):
            await bench.repeat(20)
            if (bench.effort.recall or 0) >= 0.95:
                break
    value = bench.registry.get_sample_value
    assert first is not None
    assert first < 0.95
    assert (value("afterimage_searcher_recall_at_k") or 0) >= 0.95
    assert value("afterimage_searcher_effort") == bench.effort.candidates > 1


async def test_only_a_share_is_repeated_and_none_that_was_exact(shard: Shard) -> None:
    unlucky, lucky = Bench(shard, share=0.25, chance=0.25), Bench(shard, share=0.25, chance=0.24)
    for bench in (unlucky, lucky):
        for number in range(5):
            bench.probe.offer(bench.query(number, exact=True))
        assert bench.probes("skipped") == 0
        for number in range(5):
            bench.probe.offer(bench.query(number))
    assert (unlucky.probes("skipped"), lucky.probes("skipped")) == (0, 1)


async def test_what_finds_no_time_is_left_out_and_counted(shard: Shard) -> None:
    bench = Bench(shard)
    for number in range(10):
        bench.probe.offer(bench.query(number))
    assert bench.probes("skipped") == 6


async def test_an_index_of_other_codes_is_no_reason_to_end(shard: Shard) -> None:
    bench = Bench(shard)
    async with bench.running():
        bench.probe.offer(Query(code=b"123", k=3))
        await bench.repeat(1)


async def test_where_all_is_compared_nothing_is_missed() -> None:
    small = Shard()
    small.apply([upsert(0, "cat", of=code(1, 2, 3, 4))], position=0)
    sample = sample_recall({0: small}, Query(code=code(1, 2, 3, 4), k=3))
    assert (sample.walked, sample.measure()) == (False, 1.0)
    assert sample_recall({0: Shard()}, Query(code=b"", k=3)).measure() is None
