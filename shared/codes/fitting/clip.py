"""Where to cut off what one byte cannot hold."""

import torch
from torch import Tensor

_CANDIDATES = 64


def best_clip(vectors: Tensor) -> float:
    """Return the number to store as 127, so that the mean squared error of a byte a dimension is least.

    A smaller one gives finer steps to most numbers, and cuts off the largest. vectors: float32 (rows, dim).
    """
    largest = float(vectors.abs().max())
    if largest == 0:
        return 1.0
    clips = [largest * (n + 1) / _CANDIDATES for n in range(_CANDIDATES)]
    return min(clips, key=lambda clip: _error(vectors, clip))


def _error(vectors: Tensor, clip: float) -> float:
    steps = (vectors * (127 / clip)).round().clamp(-127, 127)
    return float(torch.nn.functional.mse_loss(steps * (clip / 127), vectors))
