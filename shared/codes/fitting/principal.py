"""Principal components (Pearson 1901; Hotelling 1933), and whitening by them (Jégou & Chum 2012)."""

from typing import NamedTuple

import torch
from torch import Tensor

_CHUNK_ROWS = 8192
_LEAST = 1e-10
"""Variance, as a share of the largest, below which a component is none: whitening divides by its root."""


class Components(NamedTuple):
    """mean: float32 (dim,). axes: float32 (dim, dim), one a row, the largest variance first. variances: (dim,)."""

    mean: Tensor
    axes: Tensor
    variances: Tensor


def principal_components(vectors: Tensor) -> Components:
    """vectors: float32 (rows, dim). The sums are taken in float64."""
    mean = vectors.mean(dim=0, dtype=torch.float64)
    scatter = torch.zeros(vectors.shape[1], vectors.shape[1], dtype=torch.float64, device=vectors.device)
    for first in range(0, len(vectors), _CHUNK_ROWS):
        centred = vectors[first : first + _CHUNK_ROWS].double() - mean
        scatter += centred.T @ centred
    variances, axes = torch.linalg.eigh(scatter / max(1, len(vectors) - 1))
    return Components(mean.float(), axes.T.flip(0).float(), variances.flip(0).clamp_min(0).float())


def projection(components: Components, dim: int, *, whitened: bool) -> Tensor:
    """Return the matrix onto the first components, float32 (dim, all). whitened: each then has a variance of 1."""
    axes = components.axes[:dim]
    if not whitened:
        return axes
    return axes / components.variances[:dim].clamp_min(_LEAST * float(components.variances[0])).sqrt()[:, None]
