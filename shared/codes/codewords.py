"""Vectors and the codewords that stand for them, on whatever device they are."""

import torch
from torch import Tensor

_MOST_DISTANCES = 1 << 24
"""Distances that are computed at once: 64 MiB."""


def nearest_words_by_part(vectors: Tensor, codewords: Tensor) -> Tensor:
    """Product quantization (Jégou, Douze & Schmid 2011): each part of a vector by the nearest of its own codewords.

    vectors: float32 (batch, parts · length). codewords: float32 (parts, words, length). returns: uint8 (batch, parts).
    """
    parts, words, length = codewords.shape
    codes = torch.empty(len(vectors), parts, dtype=torch.uint8, device=vectors.device)
    for rows in _chunks(len(vectors), parts * words):
        by_part = vectors[rows].view(-1, parts, length).transpose(0, 1)
        codes[rows] = nearest(by_part, codewords).T.to(torch.uint8)
    return codes


def nearest_words(vectors: Tensor, codewords: Tensor) -> Tensor:
    """Residual vector quantization: the nearest codeword of the first level, then that of what is left, and so on.

    vectors: float32 (batch, dim). codewords: float32 (levels, words, dim). returns: uint8 (batch, levels).
    Juang & Gray 1982; Chen, Guan & Wang 2010.
    """
    codes = torch.empty(len(vectors), len(codewords), dtype=torch.uint8, device=vectors.device)
    for rows in _chunks(len(vectors), codewords.shape[1]):
        left = vectors[rows]
        for level, words in enumerate(codewords):
            chosen = nearest(left[None], words[None])[0]
            left = left - words[chosen]
            codes[rows, level] = chosen.to(torch.uint8)
    return codes


def nearest(vectors: Tensor, centres: Tensor) -> Tensor:
    """Return the number of the nearest centre by Euclidean distance.

    vectors: float32 (groups, batch, length). centres: float32 (groups, centres, length). returns: int64 (groups,
    batch).
    """
    halves = centres.square().sum(dim=2) / -2
    return torch.baddbmm(halves[:, None, :], vectors, centres.transpose(1, 2)).argmax(dim=2)


def reconstructed(codes: Tensor, codewords: Tensor, *, residual: bool) -> Tensor:
    """Return the vectors that codes stand for, float32 (batch, dim). codes: uint8 (batch, words)."""
    chosen = [words[codes[:, place].long()] for place, words in enumerate(codewords)]
    return torch.stack(chosen).sum(dim=0) if residual else torch.cat(chosen, dim=1)


def _chunks(rows: int, distances_per_row: int) -> list[slice]:
    step = max(1, _MOST_DISTANCES // distances_per_row)
    return [slice(first, first + step) for first in range(0, rows, step)]
