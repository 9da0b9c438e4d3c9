"""hnswlib: the reference implementation of HNSW, by its authors."""

from pathlib import Path

import hnswlib
import numpy as np

from benchmarks.index.engines.engine import EFFORTS, Label
from benchmarks.index.graphs import CONNECTIVITY, EXPANSION_ADD
from benchmarks.index.workload import RowNumbers, Vectors

_GRAPH = "graph.hnswlib"
_DIMENSIONS = "dimensions.npy"


class PlainHnswlib:
    """An Engine."""

    label = Label("hnswlib", "hnswlib f32 ip")
    efforts = EFFORTS

    def build(self, vectors: Vectors, folder: Path) -> None:
        np.save(folder / _DIMENSIONS, vectors.shape[1])
        graph = hnswlib.Index("ip", vectors.shape[1])
        graph.init_index(len(vectors), M=CONNECTIVITY, ef_construction=EXPANSION_ADD)
        graph.add_items(vectors)
        graph.save_index(str(folder / _GRAPH))

    def open(self, folder: Path) -> None:
        self._graph = hnswlib.Index("ip", int(np.load(folder / _DIMENSIONS)))
        self._graph.load_index(str(folder / _GRAPH))
        self._graph.set_num_threads(1)

    def tune(self, effort: int) -> None:
        self._graph.set_ef(effort)

    def form(self, queries: Vectors) -> Vectors:
        return queries

    def nearest(self, query: Vectors, k: int) -> RowNumbers:
        return self._graph.knn_query(query, k)[0][0].astype(np.int64)

    def nearest_all(self, queries: Vectors, k: int) -> RowNumbers:
        return self._graph.knn_query(queries, k)[0].astype(np.int64)

    def insert(self, vectors: Vectors) -> None:
        first = self._graph.get_current_count()
        if first + len(vectors) > self._graph.get_max_elements():
            self._graph.resize_index(2 * (first + len(vectors)))
        self._graph.add_items(vectors, np.arange(first, first + len(vectors)), num_threads=1)
