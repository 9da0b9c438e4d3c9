"""How the bytes of a code are read as a vector, and how two vectors are compared."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from usearch.compiled import MetricKind
from usearch.index import search as exact_search

ElementType = Literal["f32", "f16", "i8"]
Metric = Literal["cos", "l2sq"]

_DTYPES: dict[ElementType, np.dtype[np.generic]] = {
    "f32": np.dtype(np.float32),
    "f16": np.dtype(np.float16),
    "i8": np.dtype(np.int8),
}
_METRICS: dict[Metric, MetricKind] = {"cos": MetricKind.Cos, "l2sq": MetricKind.L2sq}


@dataclass(frozen=True, slots=True)
class VectorFormat:
    """The layout of a code and the metric that its scheme is meant for.

    Scores are similarities, larger is nearer: the cosine for `cos`, minus the squared Euclidean distance for `l2sq`.
    """

    element: ElementType = "i8"
    metric: Metric = "cos"

    @classmethod
    def named(cls, element: str, metric: str) -> "VectorFormat":
        """The format of a code that names its element type and metric so. Raises ValueError for unknown names."""
        if element not in _DTYPES or metric not in _METRICS:
            raise ValueError(
                f"the index holds {', '.join(_DTYPES)} by {', '.join(_METRICS)}, not {element} by {metric}"
            )
        return cls(element=element, metric=metric)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        return _DTYPES[self.element]

    @property
    def kind(self) -> MetricKind:
        return _METRICS[self.metric]

    def view(self, codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.generic]:
        """Read bytes, uint8 (rows, bytes per code), as vectors, (rows, dim), without a copy."""
        return codes.view(self.dtype)

    def scores(self, distances: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Turn USearch's distances into similarities."""
        return (1.0 - distances if self.metric == "cos" else -distances).astype(np.float32)

    def nearest(
        self, codes: npt.NDArray[np.uint8], query: npt.NDArray[np.uint8], k: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
        """Return the scores and the row numbers of the `k` codes nearest to the query, best first, by comparing all.

        Two codes score the same in whatever company they are compared.
        """
        found = exact_search(self.view(codes), self.view(query[np.newaxis])[0], k, self.kind, exact=True, threads=1)
        return self.scores(np.asarray(found.distances)), np.asarray(found.keys).astype(np.intp)
