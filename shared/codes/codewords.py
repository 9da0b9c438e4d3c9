"""Vectors and the codewords that stand for them, on whatever device they are."""

import torch
from torch import Tensor

_MOST_DISTANCES = 1 << 18
"""Distances that are computed at once: 1 MiB, which stay in a core's cache until the least of them is found."""


def nearest_words_by_part(vectors: Tensor, codewords: Tensor) -> Tensor:
    """Product quantization (Jégou, Douze & Schmid 2011): each part of a vector by the nearest of its own codewords.

    vectors: float32 (batch, parts · length). codewords: float32 (parts, words, length). returns: uint8 (batch, parts).
    """
    parts, _, length = codewords.shape
    return nearest(vectors.view(-1, parts, length).transpose(0, 1), codewords).T.to(torch.uint8)


def nearest_words(vectors: Tensor, codewords: Tensor) -> Tensor:
    """Residual vector quantization: the nearest codeword of the first level, then that of what is left, and so on.

    vectors: float32 (batch, dim). codewords: float32 (levels, words, dim). returns: uint8 (batch, levels).
    Juang & Gray 1982; Chen, Guan & Wang 2010.
    """
    codes = torch.empty(len(vectors), len(codewords), dtype=torch.uint8, device=vectors.device)
    for level, words in enumerate(codewords):
        chosen = nearest(vectors[None], words[None])[0]
        vectors = vectors - words[chosen]
        codes[:, level] = chosen.to(torch.uint8)
    return codes


def nearest(vectors: Tensor, centres: Tensor) -> Tensor:
    """Return the number of the nearest centre by Euclidean distance; of centres that are about as near, any.

    vectors: float32 (groups, batch, length). centres: float32 (groups, centres, length), at most 2^16 centres.
    returns: int64 (groups, batch).

    A CPU finds the least of many numbers twenty times as fast as it finds where that is. So the lowest bits of each
    distance, which for 256 centres is then true to 2^-15 of itself, give way to the centre's number.
    """
    groups, batch, _ = vectors.shape
    count = centres.shape[1]
    chosen = torch.empty(groups, batch, dtype=torch.int32, device=vectors.device)
    numbers = torch.arange(count, dtype=torch.int32, device=vectors.device)
    number_bits = (1 << (count - 1).bit_length()) - 1
    centres = torch.cat([-centres, _half_squares(centres), torch.ones_like(centres[..., :1])], dim=2).transpose(1, 2)
    rows = max(1, min(batch, _MOST_DISTANCES // count))
    at_once = max(1, _MOST_DISTANCES // (count * rows))
    for group in range(0, groups, at_once):
        for row in range(0, batch, rows):
            here = slice(group, group + at_once), slice(row, row + rows)
            some = vectors[here]
            # |v - c|^2 / 2 as one product. It is not negative, but for rounding, and so in order by its bits, too.
            some = torch.cat([some, torch.ones_like(some[..., :1]), _half_squares(some)], dim=2)
            distances = torch.bmm(some, centres[here[0]]).view(torch.int32)
            chosen[here] = distances.bitwise_and_(~number_bits).bitwise_or_(numbers).amin(dim=2)
    return chosen.bitwise_and_(number_bits).long()


def _half_squares(vectors: Tensor) -> Tensor:
    return vectors.square().sum(dim=2, keepdim=True) / 2


def reconstructed(codes: Tensor, codewords: Tensor, *, residual: bool) -> Tensor:
    """Return the vectors that codes stand for, float32 (batch, dim). codes: uint8 (batch, words)."""
    chosen = [words[codes[:, place].long()] for place, words in enumerate(codewords)]
    return torch.stack(chosen).sum(dim=0) if residual else torch.cat(chosen, dim=1)
