"""What a walk in a graph compares: a byte a dimension, whatever the codes are; the codes themselves give the scores.

A byte a dimension takes a quarter of the memory that float32 does, and a walk waits for memory most of the time.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.index.vectors import Codes, VectorFormat

_CHUNK_ROWS = 10_000

Norms = npt.NDArray[np.float32]


class Signposts(NamedTuple):
    """Codes as a walk compares them: the closeness of b to a query q is norms[b, 0] + factor(q) · norms[b, 1] · ⟨q, b⟩.

    For the cosine that is ⟨q, b⟩ / |b|, and for the squared Euclidean distance 2⟨q, b⟩ - |b|²: both as large the nearer
    b is to q. For signs it is minus the number of bits that differ.

    codes: int8, or uint8 for signs, (rows, bytes). norms: float32 (rows, 2). factors: of the same codes when they are
    queries, float32 (rows,).
    """

    codes: npt.NDArray[np.generic]
    norms: Norms
    factors: npt.NDArray[np.float32]


def signposts_of(codes: Codes, vector_format: VectorFormat) -> Signposts:
    """codes: uint8 (rows, bytes per code)."""
    parts = [
        _signposts(codes[first : first + _CHUNK_ROWS], vector_format) for first in range(0, len(codes), _CHUNK_ROWS)
    ]
    return parts[0] if len(parts) == 1 else Signposts(*map(np.concatenate, zip(*parts, strict=True)))


def _signposts(codes: Codes, vector_format: VectorFormat) -> Signposts:
    vectors = vector_format.view(codes)
    ones = np.ones(len(codes), np.float32)
    if vector_format.element == "b1":
        return Signposts(vectors, np.stack([np.zeros_like(ones), ones], axis=1), ones)
    if vector_format.element == "i8":
        steps, scales = vectors, ones
    else:
        vectors = vectors.astype(np.float32)
        # The smallest normal number stands in for the peak of a zero vector, which stays zero.
        scales = np.maximum(np.abs(vectors).max(axis=1), np.finfo(np.float32).tiny) / np.float32(127)
        steps = np.round(vectors / scales[:, np.newaxis]).astype(np.int8)
    if vector_format.metric == "l2sq":
        squared = np.square(vectors, dtype=np.float32).sum(axis=1)
        return Signposts(steps, np.stack([-squared, 2 * scales], axis=1), scales)
    lengths = np.sqrt(np.square(steps, dtype=np.float32).sum(axis=1))
    weights = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return Signposts(steps, np.stack([np.zeros_like(weights), weights], axis=1), ones)
