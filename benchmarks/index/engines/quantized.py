"""Vectors as signed bytes."""

import numpy as np
import numpy.typing as npt

from benchmarks.index.workload import Vectors
from shared.index.vectors import VectorFormat

Bytes = npt.NDArray[np.int8]


def for_cosine(vectors: Vectors) -> Bytes:
    """As the service's code i8 does: a scale for each vector."""
    peaks = np.abs(vectors).max(axis=1, keepdims=True)
    return np.round(vectors / peaks * np.float32(127)).astype(np.int8)


def codes_of(vectors: Vectors, vector_format: VectorFormat) -> npt.NDArray[np.uint8]:
    """As the service's code of that format does: uint8 (rows, bytes per code)."""
    encoded = for_cosine(vectors) if vector_format.element == "i8" else vectors.astype(vector_format.dtype)
    return np.ascontiguousarray(encoded).view(np.uint8)


def scale_of(vectors: Vectors, *, sample: int = 10_000) -> float:
    """One scale for all, as Euclidean distances need it: beyond it is one number in a thousand."""
    return float(np.quantile(np.abs(vectors[:sample]), 0.999))


def for_distance(vectors: Vectors, scale: float) -> Bytes:
    return np.clip(np.round(vectors * np.float32(127 / scale)), -127, 127).astype(np.int8)
