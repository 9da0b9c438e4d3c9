"""Codes of product quantization: our search by tables, beside faiss's scan, its fast scan and its graph.

All hold as many bytes a vector and learn from the same vectors; faiss's fast scan has twice as many parts of 16
codewords each, which it compares in registers, all others parts of 256.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.index.apart import Apart
from benchmarks.index.cache import Cache
from benchmarks.index.graphs import CONNECTIVITY, EXPANSION_ADD
from benchmarks.index.plan import Plan
from benchmarks.index.rows import SCHEME, row_of
from benchmarks.index.sets import clustered_set
from benchmarks.index.timing import Rate, Timer
from benchmarks.index.workload import K, RowNumbers, Workload, exact_answers
from benchmarks.table import Measured, Part, counted, median_ratio, say

_MOST_ROWS = 20_000
_LEARNED = 10_000
_DIMENSIONS_A_PART = 8
_VIEWED = 384
"""Candidates of a walk, of ours and of faiss: as many as a sealed segment of ours keeps in view."""

SCAN, GRAPH = "afterimage scan", "afterimage graph"
FAISS_SCAN, FAISS_FAST, FAISS_GRAPH = "faiss IndexPQ", "faiss IndexPQFastScan", "faiss IndexHNSWPQ"
OURS, THEIRS = (SCAN, GRAPH), (FAISS_SCAN, FAISS_FAST, FAISS_GRAPH)
_COMPARED = {
    "codewords_scan_over_faiss_pq": (SCAN, FAISS_SCAN),
    "codewords_scan_over_faiss_fast_scan": (SCAN, FAISS_FAST),
    "codewords_graph_over_faiss_hnsw_pq": (GRAPH, FAISS_GRAPH),
    "codewords_graph_over_faiss_fast_scan": (GRAPH, FAISS_FAST),
}


def measure(plan: Plan, cache: Cache) -> Iterator[Part]:
    folder = clustered_set(plan, cache, min(plan.rows))
    say("codewords: fitting and building")
    parts = plan.dimensions // _DIMENSIONS_A_PART
    with Apart(Ours, folder, plan.queries, parts) as ours, Apart(Faiss, folder, plan.queries, parts) as theirs:
        seats = {**dict.fromkeys(OURS, ours), **dict.fromkeys(THEIRS, theirs)}
        rates: dict[str, list[Rate]] = {name: [] for name in seats}
        for _ in counted("codewords: rounds", plan.rounds):
            for name, seat in seats.items():
                rates[name].append(seat.call("rate", name))
        recalls = {name: seat.call("recall", name) for name, seat in seats.items()}
        rows = ours.call("rows")
    cpu = {name: [rate.cpu for rate in each] for name, each in rates.items()}
    yield Part(
        title=f"Search by codewords, {rows:,} clustered x {plan.dimensions}, {parts} bytes each, one query at a time",
        unit="queries/s of processor time, one thread",
        rows=[Measured(name=name, values=each, note=f"recall@10 {recalls[name]:.3f}") for name, each in cpu.items()],
        ratios={ratio: median_ratio(cpu[one], cpu[other]) for ratio, (one, other) in _COMPARED.items()},
        notes=[f"recall: of the nearest by float32, without rescoring; graphs keep {_VIEWED} candidates in view"],
    )


class _Seat:
    """Lives in a child, with some of the vectors."""

    def __init__(self, workload: Path, asked: int) -> None:
        loaded = Workload.load(workload)
        self._base, self._queries = np.array(loaded.base[:_MOST_ROWS]), np.array(loaded.queries[:asked])
        self._exact = exact_answers(self._base, self._queries)

    def rows(self) -> int:
        return len(self._base)

    def rate(self, name: str) -> Rate:
        self.found(name, 0)
        with Timer() as timer:
            for number in range(len(self._queries)):
                self.found(name, number)
        return timer.rate(len(self._queries))

    def recall(self, name: str) -> float:
        hits = [len(np.intersect1d(self.found(name, number), exact)) for number, exact in enumerate(self._exact)]
        return sum(hits) / (K * len(hits))

    def found(self, name: str, number: int) -> RowNumbers:
        raise NotImplementedError


class Ours(_Seat):
    def __init__(self, workload: Path, asked: int, parts: int) -> None:
        import torch  # noqa: PLC0415 - the parent needs none of these, nor does the child that has faiss

        from shared.codes.fitted_file import pack  # noqa: PLC0415
        from shared.codes.fitting.fit import fit  # noqa: PLC0415
        from shared.codes.recipe import Recipe  # noqa: PLC0415
        from shared.evaluation.coding import coded  # noqa: PLC0415
        from shared.index.sealed.segment import SealedSegment  # noqa: PLC0415
        from shared.index.sealed.writing import write_segment  # noqa: PLC0415

        super().__init__(workload, asked)
        torch.set_num_threads(1)
        self._folder = tempfile.TemporaryDirectory(prefix="afterimage-bench-")
        folder = Path(self._folder.name)
        file = folder / "code.safetensors"
        file.write_bytes(pack(fit(torch.from_numpy(self._base[:_LEARNED]), Recipe.parse(f"pq{parts}"))))
        stored = coded(str(file), self._base)
        self._formed = coded(str(file), self._queries).queries
        rows = [row_of(number) for number in range(len(self._base))]
        description = write_segment(folder, rows, stored.codes, scheme=SCHEME, vector_format=stored.vector_format)
        self._segment = SealedSegment.open(folder / description.name, description, expansion=_VIEWED)

    def found(self, name: str, number: int) -> RowNumbers:
        """A scan of the sealed segment is that of a growing one: the same loop over the same bytes."""
        [ranking] = self._segment.nearest(self._formed[number : number + 1], K, exact=name == SCAN)
        return ranking.rows[:K]

    def close(self) -> None:
        self._folder.cleanup()


class Faiss(_Seat):
    def __init__(self, workload: Path, asked: int, parts: int) -> None:
        import faiss  # noqa: PLC0415 - as above

        super().__init__(workload, asked)
        faiss.omp_set_num_threads(1)
        dim, product = self._base.shape[1], faiss.METRIC_INNER_PRODUCT
        graph = faiss.IndexHNSWPQ(dim, parts, CONNECTIVITY, 8, product)
        graph.hnsw.efConstruction, graph.hnsw.efSearch = EXPANSION_ADD, _VIEWED
        self._indexes = {
            FAISS_SCAN: faiss.IndexPQ(dim, parts, 8, product),
            FAISS_FAST: faiss.IndexPQFastScan(dim, 2 * parts, 4, product),
            FAISS_GRAPH: graph,
        }
        self._indexes[FAISS_SCAN].do_polysemous_training = False  # of no use here, and takes longer than all else
        for index in self._indexes.values():
            index.train(self._base[:_LEARNED])
            index.add(self._base)

    def found(self, name: str, number: int) -> RowNumbers:
        rows: RowNumbers = self._indexes[name].search(self._queries[number : number + 1], K)[1][0]
        return rows
