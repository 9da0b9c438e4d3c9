"""The files of the graph: USearch builds it, and the kernels walk in it where its files lie.

Plain NumPy arrays: the codes by row; beside them, where a walk compares something else, that; the norms; the links.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from usearch.compiled import MetricKind
from usearch.index import Index

from shared.index.filters.column import Mask
from shared.index.kernels.traverse import OVER_BUDGET, search_graph
from shared.index.ranking import Places
from shared.index.sealed.navigation import landmarks_of, signposts_of
from shared.index.sealed.usearch_layout import read_levels
from shared.index.vectors import Codes, Metric, VectorFormat

CODES, SIGNPOSTS, NORMS, LINKS, UPPER = "codes.npy", "signposts.npy", "norms.npy", "links.npy", "upper.npy"
CONNECTIVITY = 16
EXPANSION_ADD = 128
_METRICS: dict[Metric, MetricKind] = {
    "cos": MetricKind.Cos,
    "l2sq": MetricKind.L2sq,
    "hamming": MetricKind.Hamming,
}


def write_graph(folder: Path, codes: Codes, vector_format: VectorFormat) -> None:
    """Build the graph over the codes, by row number, and write its files. Takes a core for long.

    One thread inserts: then every row can be reached, and the same rows give the same files.
    """
    vectors = vector_format.view(codes)
    graph = Index(
        ndim=8 * vectors.shape[1] if vector_format.element == "b1" else vectors.shape[1],
        metric=_METRICS[vector_format.metric],
        dtype=vector_format.element,
        connectivity=CONNECTIVITY,
        expansion_add=EXPANSION_ADD,
        enable_key_lookups=False,
    )
    graph.add(np.arange(len(vectors), dtype=np.uint64), vectors, threads=1)
    levels = read_levels(np.frombuffer(graph.save() or b"", np.uint8))
    steps, norms = landmarks_of(codes, vector_format)
    np.save(folder / CODES, codes)
    if _needs_signposts(vector_format):
        np.save(folder / SIGNPOSTS, steps)
    np.save(folder / NORMS, norms)
    np.save(folder / LINKS, levels.links)
    np.save(folder / UPPER, levels.upper)


class Graph:
    """A graph that is read where it lies. Its files must have been verified: damaged links lead out of memory."""

    def __init__(self, folder: Path, vector_format: VectorFormat, *, rows: int, code_bytes: int) -> None:
        """Raises ValueError where the files are of another layout than this release reads."""
        self._format = vector_format
        self.codes: Codes = _mapped(folder / CODES, np.uint8, (rows, code_bytes))
        self._vectors = vector_format.kernel_view(self.codes)
        self._signposts = (
            _mapped(folder / SIGNPOSTS, np.int8, self._vectors.shape)
            if _needs_signposts(vector_format)
            else self._vectors
        )
        self._norms = _mapped(folder / NORMS, np.float32, (rows, 2))
        self._links = _mapped(folder / LINKS, np.uint32, (rows, 2 * CONNECTIVITY))
        upper = _mapped(folder / UPPER, np.uint32, (None, 2 + CONNECTIVITY))
        levels = upper[:, 0].astype(np.int64)
        self._starts = np.append(np.flatnonzero(np.diff(levels, prepend=-1)), len(upper)).astype(np.int64)
        self._upper_rows = upper[:, 1].copy()
        self._upper_links = upper[:, 2:].copy()

    def search(self, queries: Codes, limit: int, allowed: Mask, *, expansion: int, budget: int) -> Places | None:
        """Find about the nearest of the rows that are allowed, up to `limit` for each query.

        expansion: candidates that are kept in view, at least `limit`. Fewer only where no more can be reached.
        None where comparing `budget` rows did not do for some query.
        """
        places = Places.empty(len(queries), limit)
        steps, scales = signposts_of(queries, self._format)
        search_graph(
            self._vectors,
            self._signposts,
            self._norms,
            self._links,
            self._upper_rows,
            self._upper_links,
            self._starts,
            allowed,
            self._format.kernel_view(queries),
            steps,
            scales if self._format.metric == "l2sq" else np.ones_like(scales),
            self._format.kernel_metric,
            expansion,
            budget,
            *places,
        )
        return None if places.counts[-1] == OVER_BUDGET else places


def _needs_signposts(vector_format: VectorFormat) -> bool:
    """Whether a walk compares something else than the codes."""
    return vector_format.element not in ("i8", "b1")


def _mapped(path: Path, dtype: type[np.generic], shape: tuple[int | None, ...]) -> npt.NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r")
    except FileNotFoundError as error:
        raise ValueError(f"{path} is missing: another release wrote this segment") from error
    if (
        array.dtype != dtype
        or len(array.shape) != len(shape)
        or any(wanted not in (None, found) for wanted, found in zip(shape, array.shape, strict=True))
    ):
        raise ValueError(f"{path} holds {array.dtype} {array.shape} instead of {np.dtype(dtype)} {shape}")
    return np.asarray(array)
