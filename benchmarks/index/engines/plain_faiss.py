"""faiss: HNSW over floats, HNSW over bytes, and inverted lists of product-quantized vectors."""

from collections.abc import Callable
from pathlib import Path

import faiss

from benchmarks.index.engines.engine import EFFORTS, Label
from benchmarks.index.graphs import CONNECTIVITY, EXPANSION_ADD
from benchmarks.index.workload import RowNumbers, Vectors

_FILE = "index.faiss"
_SEED_ROWS = 100_000
"""Rows that quantizers are trained with."""
_BYTES_PER_CODE = 64
_ROWS_PER_LIST = 250
_PROBES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128]


class PlainFaiss:
    """An Engine. make: the empty index for so many rows and dimensions."""

    def __init__(self, label: Label, make: Callable[[int, int], "faiss.Index"], efforts: list[int]) -> None:
        self.label = label
        self.efforts = efforts
        self._make = make

    def build(self, vectors: Vectors, folder: Path) -> None:
        index = self._make(*vectors.shape)
        if not index.is_trained:
            index.train(vectors[:_SEED_ROWS])
        index.add(vectors)
        faiss.write_index(index, str(folder / _FILE))

    def open(self, folder: Path) -> None:
        faiss.omp_set_num_threads(1)
        self._index = faiss.read_index(str(folder / _FILE))

    def tune(self, effort: int) -> None:
        if isinstance(self._index, faiss.IndexIVF):
            self._index.nprobe = effort
        else:
            self._index.hnsw.efSearch = effort

    def form(self, queries: Vectors) -> Vectors:
        return queries

    def nearest(self, query: Vectors, k: int) -> RowNumbers:
        return self._index.search(query[None], k)[1][0]

    def nearest_all(self, queries: Vectors, k: int) -> RowNumbers:
        return self._index.search(queries, k)[1]


def hnsw() -> PlainFaiss:
    return PlainFaiss(Label("faiss_hnsw", "faiss HNSW f32"), _hnsw, EFFORTS)


def hnsw_sq8() -> PlainFaiss:
    return PlainFaiss(Label("faiss_hnsw_sq8", "faiss HNSW SQ8"), _hnsw_sq8, EFFORTS)


def ivf_pq() -> PlainFaiss:
    return PlainFaiss(Label("faiss_ivf_pq", "faiss IVF-PQ", f"{_BYTES_PER_CODE} bytes a code"), _ivf_pq, _PROBES)


def _hnsw(rows: int, dimensions: int) -> "faiss.Index":  # noqa: ARG001 - every index is made for so many rows
    return _constructed(faiss.IndexHNSWFlat(dimensions, CONNECTIVITY, faiss.METRIC_INNER_PRODUCT))


def _hnsw_sq8(rows: int, dimensions: int) -> "faiss.Index":  # noqa: ARG001
    bytes_ = faiss.ScalarQuantizer.QT_8bit
    return _constructed(faiss.IndexHNSWSQ(dimensions, bytes_, CONNECTIVITY, faiss.METRIC_INNER_PRODUCT))


def _ivf_pq(rows: int, dimensions: int) -> "faiss.Index":
    lists = max(1, rows // _ROWS_PER_LIST)
    return faiss.index_factory(
        dimensions, f"IVF{lists},PQ{min(dimensions, _BYTES_PER_CODE)}", faiss.METRIC_INNER_PRODUCT
    )


def _constructed(index: "faiss.IndexHNSW") -> "faiss.Index":
    index.hnsw.efConstruction = EXPANSION_ADD
    return index
