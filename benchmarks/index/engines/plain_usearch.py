"""USearch as one uses it by itself: one graph, in one of its element types."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from usearch.index import Index

from benchmarks.index.engines import quantized
from benchmarks.index.engines.engine import EFFORTS, Label
from benchmarks.index.graphs import CONNECTIVITY, EXPANSION_ADD
from benchmarks.index.workload import RowNumbers, Vectors

_GRAPH = "graph.usearch"
_SCALE = "scale.npy"


class PlainUSearch:
    """An Engine. element: f32, f16 or i8; metric: cos, ip or l2sq, which rank unit vectors alike."""

    efforts = EFFORTS

    def __init__(self, element: str, metric: str) -> None:
        self.label = Label(f"usearch_{element}_{metric}", f"USearch {element} {metric}")
        self._element = element
        self._metric = metric
        self._form: Callable[[Vectors], Any] = lambda vectors: vectors

    def build(self, vectors: Vectors, folder: Path) -> None:
        np.save(folder / _SCALE, quantized.scale_of(vectors))
        self._take_form(folder)
        index = self.empty(vectors.shape[1])
        index.add(np.arange(len(vectors), dtype=np.uint64), self._form(vectors), threads=1)
        index.save(folder / _GRAPH)

    def open(self, folder: Path) -> None:
        self._take_form(folder)
        restored = Index.restore(folder / _GRAPH)
        self._index = self.empty(restored.ndim)
        del restored
        self._index.load(folder / _GRAPH)

    def tune(self, effort: int) -> None:
        self._index.expansion_search = effort

    def form(self, queries: Vectors) -> Any:
        return self._form(queries)

    def nearest(self, query: Any, k: int) -> RowNumbers:
        return self._index.search(query, k, threads=1).keys.astype(np.int64)

    def nearest_all(self, queries: Any, k: int) -> RowNumbers:
        return self._index.search(queries, k, threads=1).keys.astype(np.int64)

    def insert(self, vectors: Any) -> None:
        first = len(self._index)
        self._index.add(np.arange(first, first + len(vectors), dtype=np.uint64), vectors, threads=1)

    def empty(self, dimensions: int) -> Index:
        return Index(
            ndim=dimensions,
            metric=self._metric,
            dtype=self._element,
            connectivity=CONNECTIVITY,
            expansion_add=EXPANSION_ADD,
            enable_key_lookups=False,
        )

    def _take_form(self, folder: Path) -> None:
        if self._element == "i8":
            scale = float(np.load(folder / _SCALE))
            self._form = (
                quantized.for_cosine
                if self._metric == "cos"
                else lambda vectors: quantized.for_distance(vectors, scale)
            )
        elif self._element == "f16":
            self._form = lambda vectors: vectors.astype(np.float16)
