"""What a walk in a graph compares: a byte a dimension, or codewords; the codes themselves give the scores.

A byte a dimension takes a quarter of the memory that float32 does, and a walk waits for memory most of the time.
Codewords take less still.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shared.index.vectors import Codes, VectorFormat

_CHUNK_ROWS = 10_000


class Signposts(NamedTuple):
    """Codes as a walk compares them, or queries.

    codes: int8, or uint8 for signs and codewords, (rows, bytes); of queries for codewords their tables, float32; not to
    be written. scales: what a step of each stands for, float32 (rows,).
    """

    codes: npt.NDArray[Any]
    scales: npt.NDArray[np.float32]


def needs_signposts(vector_format: VectorFormat) -> bool:
    """Whether a walk compares something else than the codes."""
    return vector_format.element in ("f32", "f16")


def steps_of(queries: Codes, compared: npt.NDArray[Any], vector_format: VectorFormat) -> Signposts:
    """What a walk compares of queries, uint8 (queries, bytes); compared: what a scan does."""
    if not needs_signposts(vector_format):
        return Signposts(compared, ones(len(queries)))
    if vector_format.codebook is None:
        return signposts_of(queries, vector_format)
    tables = vector_format.codebook.tables(vector_format.view(queries).astype(np.float32))
    tables.flags.writeable = False  # a kernel is compiled anew for arrays that may be written
    return Signposts(tables, ones(len(queries)))


def signposts_of(codes: Codes, vector_format: VectorFormat) -> Signposts:
    """codes: uint8 (rows, bytes per code)."""
    if not needs_signposts(vector_format):
        return Signposts(vector_format.kernel_view(codes), ones(len(codes)))
    if vector_format.codebook is not None:
        words = vector_format.codebook.codes_of(vector_format.view(codes).astype(np.float32))
        return Signposts(words, ones(len(codes)))
    vectors = vector_format.view(codes).astype(np.float32)
    # The smallest normal number stands in for the peak of a zero vector, which stays zero.
    scales = np.maximum(np.abs(vectors).max(axis=1), np.finfo(np.float32).tiny) / np.float32(127)
    steps = np.round(vectors / scales[:, np.newaxis]).astype(np.int8)
    steps.flags.writeable = False  # a kernel is compiled anew for arrays that may be written
    return Signposts(steps, scales)


@lru_cache(maxsize=4)
def ones(count: int) -> npt.NDArray[np.float32]:
    """The scales of what needs none, float32 (count,): to read only, and kept, because most queries come one by one."""
    return np.ones(count, np.float32)


def landmarks_of(codes: Codes, vector_format: VectorFormat) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
    """Return the codes of all signposts, and their norms, float32 (rows, 2): what a row's closeness is made of.

    The closeness of b to a query q is norms[b, 0] + scale(q) · norms[b, 1] · ⟨q, b⟩. For the cosine, with a scale of 1,
    that is ⟨q, b⟩ / |b|, and for the squared Euclidean distance 2⟨q, b⟩ - |b|²: both are as large the nearer b is to q.
    For signs it is minus the number of bits that differ, for codewords the cosine of what they stand for.
    """
    parts = [
        _landmarks(codes[first : first + _CHUNK_ROWS], vector_format) for first in range(0, len(codes), _CHUNK_ROWS)
    ]
    return np.concatenate([steps for steps, _ in parts]), np.concatenate([norms for _, norms in parts])


def _landmarks(codes: Codes, vector_format: VectorFormat) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32]]:
    steps, scales = signposts_of(codes, vector_format)
    norms = np.zeros((len(codes), 2), np.float32)
    if vector_format.codebook is not None:
        norms[:, 1] = vector_format.codebook.scales_of(steps)
    elif vector_format.metric == "hamming":
        norms[:, 1] = 1
    elif vector_format.metric == "l2sq":
        norms[:, 0] = -np.square(vector_format.view(codes), dtype=np.float32).sum(axis=1)
        norms[:, 1] = 2 * scales
    else:
        lengths = np.sqrt(np.square(steps, dtype=np.float32).sum(axis=1))
        np.divide(1, lengths, out=norms[:, 1], where=lengths > 0)
    return steps, norms
