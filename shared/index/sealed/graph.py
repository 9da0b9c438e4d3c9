"""The files of the graph, and the walk in them where they lie.

Plain NumPy arrays: the codes by row; beside them, where a walk compares something else, that; the norms; the links.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shared.index.codebook import Codebook
from shared.index.filters.column import Mask
from shared.index.kernels.agreed import OVER_BUDGET
from shared.index.ranking import Places
from shared.index.sealed.navigation import needs_signposts, ones, steps_of
from shared.index.vectors import Codes, VectorFormat

CODES, SIGNPOSTS, NORMS, LINKS, UPPER = "codes.npy", "signposts.npy", "norms.npy", "links.npy", "upper.npy"
CODEWORDS = "codewords.npy"
CONNECTIVITY = 16


class Graph:
    """A graph that is read where it lies. Its files must have been verified: damaged links lead out of memory."""

    def __init__(self, folder: Path, vector_format: VectorFormat, *, rows: int, code_bytes: int) -> None:
        """Raises ValueError where the files are of another layout than this release reads."""
        self.format = vector_format = _with_codebook(folder, vector_format, code_bytes)
        self.codes: Codes = _mapped(folder / CODES, np.uint8, (rows, code_bytes))
        self._vectors = vector_format.kernel_view(self.codes)
        self._signposts = self._vectors
        if vector_format.codebook is not None and needs_signposts(vector_format):
            self._signposts = _mapped(folder / SIGNPOSTS, np.uint8, (rows, vector_format.codebook.places))
        elif needs_signposts(vector_format):
            self._signposts = _mapped(folder / SIGNPOSTS, np.int8, self._vectors.shape)
        self._norms = _mapped(folder / NORMS, np.float32, (rows, 2))
        self.scales = self._norms[:, 1].copy() if vector_format.quantizes else vector_format.scales_of(self.codes)
        self.scales.flags.writeable = False  # as in ranking.py
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
        from shared.index.kernels.traverse import search_graph  # noqa: PLC0415 - as in ranking.py

        places = Places.empty(len(queries), limit)
        compared = self.format.kernel_queries(queries)
        steps, scales = steps_of(queries, compared, self.format)
        search_graph(
            self._vectors,
            self.scales,
            self._signposts,
            self._norms,
            self._links,
            self._upper_rows,
            self._upper_links,
            self._starts,
            allowed,
            compared,
            steps,
            scales if self.format.metric == "l2sq" else ones(len(queries)),
            self.format.kernel_metric,
            expansion,
            budget,
            *places,
        )
        return None if places.counts[-1] == OVER_BUDGET else places


def _with_codebook(folder: Path, vector_format: VectorFormat, code_bytes: int) -> VectorFormat:
    """A segment brings its codewords: they are as much a part of its codes as the bytes are.

    Beside halves their length says which kind they are: those that are added are as long as the vector, those of its
    parts are shorter; of one part alone, which is as long, both readings are the same.
    """
    if not (folder / CODEWORDS).exists():
        return vector_format
    words = np.load(folder / CODEWORDS)
    if vector_format.element == "f16":
        residual = words.shape[-1] == code_bytes // vector_format.dtype.itemsize
    else:
        residual = vector_format.element == "vq"
    return replace(vector_format, codebook=Codebook(words=words, residual=residual))


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
