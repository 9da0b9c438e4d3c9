"""How the bytes of a code are read as a vector, and how two vectors are compared."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from shared.index.kernels.agreed import COSINE, HAMMING, SQUARED_EUCLIDEAN

ElementType = Literal["f32", "f16", "i8", "b1"]
Metric = Literal["cos", "l2sq", "hamming"]
Codes = npt.NDArray[np.uint8]
"""uint8, (rows, bytes per code)"""

_DTYPES: dict[ElementType, np.dtype[np.generic]] = {
    "f32": np.dtype(np.float32),
    "f16": np.dtype(np.float16),
    "i8": np.dtype(np.int8),
    "b1": np.dtype(np.uint8),
}
_METRICS: dict[Metric, int] = {"cos": COSINE, "l2sq": SQUARED_EUCLIDEAN, "hamming": HAMMING}
_FORMATS = {
    (element, metric) for element in _DTYPES for metric in _METRICS if (element == "b1") == (metric == "hamming")
}


@dataclass(frozen=True, slots=True)
class VectorFormat:
    """The layout of a code and the metric that its scheme is meant for.

    Scores are similarities, larger is nearer: the cosine for `cos`, 0 where a vector is zero; minus the squared
    Euclidean distance for `l2sq`; minus the number of bits that differ for `hamming`.
    """

    element: ElementType = "i8"
    metric: Metric = "cos"

    @classmethod
    def named(cls, element: str, metric: str) -> "VectorFormat":
        """The format of a code that names its element type and metric so. Raises ValueError for unknown names."""
        if (element, metric) not in _FORMATS:
            raise ValueError(
                f"the index holds f32, f16 and i8 by cos or l2sq, and b1 by hamming, not {element} by {metric}"
            )
        return cls(element=element, metric=metric)  # type: ignore[arg-type]  # they are among the formats

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Of one number; eight signs in the case of b1."""
        return _DTYPES[self.element]

    @property
    def kernel_metric(self) -> int:
        """By the name that the kernels have for it."""
        return _METRICS[self.metric]

    def view(self, codes: Codes) -> npt.NDArray[np.generic]:
        """Read bytes, uint8 (rows, bytes per code), as vectors, (rows, dim), without a copy."""
        return codes.view(self.dtype)

    def kernel_view(self, codes: Codes) -> npt.NDArray[np.generic]:
        """Read bytes as what the kernels compare: halves as the numbers that stand for them, because Numba has none."""
        view = codes.view(np.uint16 if self.element == "f16" else self.dtype)
        view.flags.writeable = False  # a kernel is compiled anew for arrays that may be written
        return view
