"""One query made of several: near these, far from those."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from shared.index.vectors import VectorFormat

_LEAST = 1e-6
"""Of the length of the sum: what is shorter is the rounding of codes that cancel out."""


class NothingLeft(Exception):
    """The weighted queries cancel out: there is no direction to search in."""


def combine(queries: Sequence[bytes], weights: Sequence[float], vector_format: VectorFormat) -> bytes:
    """Return the query for the direction of the weighted sum of the queries, each of length 1.

    That is Rocchio's (1971), without a query of its own to start from: a weight below 0 leads away. Signs are summed as
    1 and -1, and those of the sum taken. queries: what queries bring, all of the format and as long as each other;
    weights: as many, finite. Raises NothingLeft.
    """
    rows = np.frombuffer(b"".join(queries), np.uint8).reshape(len(queries), -1)
    vectors = _unit(_numbers(rows, vector_format))
    total = np.asarray(weights, np.float64) @ vectors
    if not np.linalg.norm(total) > _LEAST * np.abs(weights).sum():
        raise NothingLeft("the examples and their weights cancel out: give more of them, or other weights")
    return _query_of(total, vector_format)


def _numbers(rows: npt.NDArray[np.uint8], vector_format: VectorFormat) -> npt.NDArray[np.float64]:
    if vector_format.quantizes:
        return rows.view(np.float32).astype(np.float64)
    if vector_format.element == "b1":
        return np.where(np.unpackbits(rows, axis=1), 1.0, -1.0)
    return vector_format.view(rows).astype(np.float64)


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: npt.NDArray[np.float64] = vectors / np.maximum(lengths, np.finfo(np.float64).tiny)
    return unit


def _query_of(total: npt.NDArray[np.float64], vector_format: VectorFormat) -> bytes:
    if vector_format.element == "b1":
        return np.packbits(total > 0).tobytes()
    dtype: np.dtype[np.generic] = np.dtype(np.float32) if vector_format.quantizes else vector_format.dtype
    if vector_format.element == "i8":
        return _bytes_of(np.round(total * (127 / np.abs(total).max())), dtype)
    return _bytes_of(total / np.linalg.norm(total), dtype)


def _bytes_of(numbers: npt.NDArray[np.float64], dtype: np.dtype[np.generic]) -> bytes:
    return numbers.astype(dtype).tobytes()
