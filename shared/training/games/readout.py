"""Fits the readout of a network to what it sees in the pictures that are learned from: in closed form, in seconds."""

from collections.abc import Sequence

import torch
from torch import Tensor

_LEAST_DEVIATION = 1e-3
"""Of a statistic, as a share of the largest: what hardly ever differs is not blown up to weigh as much as the rest."""


@torch.no_grad()
def fit_readout(statistics: Tensor, lengths: Sequence[int], dim: int) -> tuple[Tensor, Tensor]:
    """Return the weight (dim, length) and the bias (dim) of the readout, float32.

    Statistics are brought to mean 0 and one deviation in each layer, so that all layers weigh the same; what is
    returned gives their first principal axes, each over the root of its deviation, scaled to unit length on average.
    Rows for which there are no axes are zero.

    statistics: float32 (count, length), of pictures. lengths: how many of them, one after the other, are of each layer.
    """
    values = statistics.double()
    mean, deviation = values.mean(dim=0), values.std(dim=0, correction=0)
    deviation = deviation.clamp(min=_LEAST_DEVIATION * deviation.max().item())
    deviation *= torch.cat([torch.full((length,), length**0.5) for length in lengths])
    standardised = (values - mean) / deviation
    variances, axes = torch.linalg.eigh(standardised.T @ standardised / len(values))
    axes = axes.T.flip(0)[:dim]
    variances = variances.flip(0)[:dim]
    real = variances > 1e-9 * variances[0]  # the others are rounding
    weight = torch.zeros(dim, values.shape[1], dtype=torch.float64)
    weight[: len(axes)][real] = axes[real] / variances[real, None] ** 0.25
    weight /= (standardised @ weight.T).norm(dim=1).mean().clamp(min=1e-12)
    weight /= deviation
    return weight.float(), -(weight @ mean).float()
