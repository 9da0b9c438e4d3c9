"""Where a head begins: at the principal axes of the vectors that it projects."""

import torch
from torch import Tensor, nn


@torch.no_grad()
def start_at_principal_axes(layer: nn.Linear, vectors: Tensor) -> None:
    """Set the layer so that it gives the principal components of unit vectors, scaled to unit length on average.

    vectors: float32 (count, layer.in_features), not of unit length. Where there are fewer axes than the layer gives,
    the rest of it keeps its random weights, scaled to be small.
    """
    unit = nn.functional.normalize(vectors.double())
    mean = unit.mean(dim=0)
    axes = _principal_axes(unit - mean)[: layer.out_features]
    count = len(axes)
    projection = axes.clone()
    projection /= ((unit - mean) @ projection.T).norm(dim=1).mean()
    layer.weight *= 0.01
    layer.bias.zero_()
    layer.weight[:count] = projection.float()
    layer.bias[:count] = -(projection @ mean).float()


def _principal_axes(centred: Tensor) -> Tensor:
    """Return the axes as rows, by falling variance: of few vectors there are only so many."""
    axes: Tensor
    if len(centred) < centred.shape[1]:
        axes = torch.linalg.svd(centred, full_matrices=False).Vh
    else:
        axes = torch.linalg.eigh(centred.T @ centred).eigenvectors.T.flip(0)
    return axes
