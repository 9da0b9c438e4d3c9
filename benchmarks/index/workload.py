"""What is searched and what is asked for, in a folder, so that every process maps the same files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
RowNumbers = npt.NDArray[np.int64]

K = 10
_BLOCK = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """base, queries: unit vectors, (rows, dimensions). exact: the `K` nearest rows to each query, in no order.

    All by the cosine of the vectors in float32, whatever an index makes of them.
    """

    base: Vectors
    queries: Vectors
    exact: RowNumbers

    @classmethod
    def load(cls, folder: Path) -> "Workload":
        """Map what `save` wrote."""
        base, queries, exact = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("base", "queries", "exact"))
        return cls(base=np.asarray(base), queries=np.asarray(queries), exact=np.asarray(exact))

    def recall(self, found: RowNumbers) -> float:
        """Recall@k: the share of the exact answers that is among those found, (queries, K)."""
        hits = [len(np.intersect1d(*pair)) for pair in zip(found, self.exact[: len(found)], strict=True)]
        return sum(hits) / (K * len(hits))


def save(folder: Path, base: Vectors, queries: Vectors) -> None:
    """Write a workload, with the exact answers."""
    np.save(folder / "base.npy", base)
    np.save(folder / "queries.npy", queries)
    np.save(folder / "exact.npy", exact_answers(base, queries))


def exact_answers(base: Vectors, queries: Vectors) -> RowNumbers:
    """Return the `K` nearest rows to each query, (queries, K), by comparing with all in float32."""
    scores = np.empty((len(queries), 0), np.float32)
    rows = np.empty((len(queries), 0), np.int64)
    for first in range(0, len(base), _BLOCK):
        block = queries @ base[first : first + _BLOCK].T
        scores = np.concatenate([scores, block], axis=1)
        numbers = np.broadcast_to(np.arange(first, first + block.shape[1]), block.shape)
        rows = np.concatenate([rows, numbers], axis=1)
        best = np.argpartition(-scores, min(K, scores.shape[1]) - 1, axis=1)[:, :K]
        scores, rows = np.take_along_axis(scores, best, axis=1), np.take_along_axis(rows, best, axis=1)
    return rows
