"""The vector of a query: numbers, or their bytes, which are half as long and many times as quick to read."""

from array import array
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ITEM = np.dtype("<f4")


def pack_vector(vector: Sequence[float] | npt.NDArray[np.floating]) -> bytes:
    """The numbers as float32, little endian. Raises ValueError where they are not in one row.

    Those that are too large for that become infinite, and a searcher refuses them.
    """
    with np.errstate(over="ignore"):
        packed = np.asarray(_numbers(vector), dtype=ITEM)
    if packed.ndim != 1:
        raise ValueError(f"a vector is one row of numbers, not an array of shape {packed.shape}")
    return packed.tobytes()


def read_vector(vector: Sequence[float] | bytes) -> npt.NDArray[np.float64]:
    """The numbers of a request, float64 (dim,). Raises ValueError for bytes that are no whole numbers of them."""
    if not isinstance(vector, bytes):
        return np.asarray(_numbers(vector), dtype=np.float64)
    if len(vector) % ITEM.itemsize:
        raise ValueError(f"a vector in bytes is float32, four bytes each: {len(vector)} bytes are no whole number")
    return np.frombuffer(vector, ITEM).astype(np.float64)


def _numbers(vector: Sequence[float] | npt.NDArray[np.floating]) -> "npt.NDArray[np.floating] | array[float]":
    """What NumPy reads at once: a list's numbers it asks for their types one by one, which takes five times as long."""
    return vector if isinstance(vector, np.ndarray) else array("d", vector)
