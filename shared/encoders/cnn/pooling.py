"""Pooling: from a map, (batch, channels, height, width), to a vector for each image, (batch, channels).

A map of tokens, (batch, tokens, channels), as a transformer has it, is pooled over its tokens.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

_LEVELS = 3
"""Of regions, as Tolias, Sicre & Jégou use them."""
_SMALLEST = 1e-6
"""What stands in for numbers below it, of which there is no root."""


def average(map_: Tensor) -> Tensor:
    """SPoC (Babenko & Lempitsky 2015): what most classifiers take."""
    return _places(map_).mean(dim=2)


def maximum(map_: Tensor) -> Tensor:
    """MAC (Tolias et al. 2016): whether a feature is there, and not how often."""
    return _places(map_).amax(dim=2)


def generalized_mean(map_: Tensor, p: float) -> Tensor:
    """GeM (Radenović, Tolias & Chum 2019): (mean of x^p)^(1/p), from the average, p = 1, to the maximum, p → ∞."""
    values = _places(map_).clamp_min(_SMALLEST)
    peaks = values.amax(dim=2, keepdim=True)  # by which powers stay in the range of a float32
    return (values / peaks).pow(p).mean(dim=2).pow(1 / p) * peaks[:, :, 0]


def regional_maxima(map_: Tensor) -> Tensor:
    """R-MAC (Tolias, Sicre & Jégou 2016): the maxima of square regions of several sizes, of length 1 each, added.

    On level l = 1, 2, 3 the side of a region is 2 · min(height, width) / (l + 1), and regions lie evenly, l of them
    along the shorter side.
    """
    if map_.ndim != 4:
        raise ValueError(
            "R-MAC needs a map with a height and a width, and this network has tokens; use avg, max or gem"
        )
    height, width = (int(length) for length in map_.shape[2:])  # which are tensors while OpenVINO traces it
    total = map_.new_zeros(map_.shape[:2])
    for level in range(1, _LEVELS + 1):
        side = max(1, math.floor(2 * min(height, width) / (level + 1)))
        for top in _starts(height, side, level):
            for left in _starts(width, side, level):
                total = total + normalize(map_[:, :, top : top + side, left : left + side].amax(dim=(2, 3)))
    return total


def _starts(length: int, side: int, least: int) -> list[int]:
    """Where regions begin: `least` of them, and as many more as keep neighbours from having a gap between them."""
    count = max(least, math.ceil(length / side))
    if count == 1:
        return [0]
    return sorted({round(number * (length - side) / (count - 1)) for number in range(count)})


def _places(map_: Tensor) -> Tensor:
    """Return the map as (batch, channels, places)."""
    if map_.ndim == 3:
        return map_.transpose(1, 2)
    if map_.ndim != 4:
        raise ValueError(f"there is nothing to pool in an output of shape {tuple(map_.shape)}; name a layer with a map")
    return torch.flatten(map_, 2)
