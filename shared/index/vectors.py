"""How the bytes of a code are read as a vector, and how two vectors are compared."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from shared.index.codebook import Codebook, Floats
from shared.index.kernels.agreed import COSINE, HAMMING, SQUARED_EUCLIDEAN

ElementType = Literal["f32", "f16", "i8", "b1", "pq", "vq"]
Metric = Literal["cos", "l2sq", "hamming"]
Codes = npt.NDArray[np.uint8]
"""uint8, (rows, bytes per code)"""

_DTYPES: dict[ElementType, np.dtype[np.generic]] = {
    "f32": np.dtype(np.float32),
    "f16": np.dtype(np.float16),
    "i8": np.dtype(np.int8),
    "b1": np.dtype(np.uint8),
    "pq": np.dtype(np.uint8),
    "vq": np.dtype(np.uint8),
}
_METRICS: dict[Metric, int] = {"cos": COSINE, "l2sq": SQUARED_EUCLIDEAN, "hamming": HAMMING}
_COMPARED_BY: dict[ElementType, tuple[Metric, ...]] = {
    "f32": ("cos", "l2sq"),
    "f16": ("cos", "l2sq"),
    "i8": ("cos", "l2sq"),
    "b1": ("hamming",),
    "pq": ("cos",),
    "vq": ("cos",),
}


_NO_SCALES = np.empty(0, np.float32)


class DescribedCode(Protocol):
    """What must be known of a code to compare it. codewords: float32 (places, 256, length)."""

    @property
    def element(self) -> ElementType: ...

    @property
    def metric(self) -> Metric: ...

    @property
    def codewords(self) -> Floats | None: ...

    @property
    def residual(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class VectorFormat:
    """The layout of a code and the metric that its scheme is meant for.

    Scores are similarities, larger is nearer: the cosine for `cos`, 0 where a vector is zero; minus the squared
    Euclidean distance for `l2sq`; minus the number of bits that differ for `hamming`. Codewords score as the vector
    that they stand for does, by a query that is not quantized.

    codebook: what the bytes of pq and vq name; of f16, what a walk in a graph compares in place of a byte a dimension.
    """

    element: ElementType = "i8"
    metric: Metric = "cos"
    codebook: Codebook | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.metric not in _COMPARED_BY.get(self.element, ()):
            raise ValueError(
                "the index holds f32, f16 and i8 by cos or l2sq, b1 by hamming, pq and vq by cos, not "
                f"{self.element} by {self.metric}"
            )

    @classmethod
    def named(cls, element: str, metric: str) -> "VectorFormat":
        """The format of a code that names its element type and metric so. Raises ValueError for unknown names."""
        return cls(element=element, metric=metric)  # type: ignore[arg-type]  # which is found out

    @classmethod
    def of(cls, code: DescribedCode) -> "VectorFormat":
        """Raises ValueError where the index cannot hold such codes."""
        codebook = None if code.codewords is None else Codebook(words=code.codewords, residual=code.residual)
        return cls(code.element, code.metric, codebook)

    @property
    def quantizes(self) -> bool:
        """Whether stored codes are codewords, while a query is a vector: float32, `codebook.dim` numbers."""
        return self.element in ("pq", "vq")

    def query_bytes(self, code_bytes: int) -> int:
        """The length of a query, where codes have that length."""
        return 4 * self.codebook.dim if self.quantizes and self.codebook else code_bytes

    def query_of(self, code: bytes) -> bytes:
        """Return the query for what is like a stored code."""
        if not self.quantizes or self.codebook is None:
            return code
        return self.codebook.vectors_of(np.frombuffer(code, np.uint8)[np.newaxis]).tobytes()

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Of one number; eight signs in the case of b1, the name of a codeword in that of pq and vq."""
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

    def scales_of(self, codes: Codes) -> Floats:
        """Return what the kernels multiply looked-up inner products by, float32 (rows,); nothing where none are.

        That is one by the length of what codewords stand for: they are shorter than what they stand in for, some more
        and some less, and without it `opq320` loses 7.5 of 100 of the ten nearest instead of 4.6.
        """
        if not self.quantizes or self.codebook is None:
            return _NO_SCALES
        return self.codebook.scales_of(codes)

    def kernel_queries(self, queries: Codes) -> npt.NDArray[np.generic]:
        """Read queries, uint8 (queries, query bytes), as what the kernels compare with: as codes, or as tables."""
        if not self.quantizes or self.codebook is None:
            return self.kernel_view(queries)
        vectors = queries.view(np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        tables = self.codebook.tables(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))
        tables.flags.writeable = False  # as above
        return tables
