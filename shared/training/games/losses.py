"""What the players of a game descend."""

import torch
from torch import Tensor, nn

_TEMPERATURE = 0.1


def nt_xent(embeddings: Tensor) -> Tensor:
    """Let each view find the other one of its picture in the batch, by the cosine (Chen et al. 2020, equation 1).

    embeddings: (2 * count, dim); rows i and i + count are views of one picture.
    """
    unit = nn.functional.normalize(embeddings)
    similarity = (unit @ unit.T / _TEMPERATURE).fill_diagonal_(-torch.inf)
    others = torch.arange(len(unit), device=unit.device).roll(len(unit) // 2)
    return nn.functional.cross_entropy(similarity, others)


def hinge(real: Tensor, made: Tensor) -> Tensor:
    return (1 - real).relu().mean() + (1 + made).relu().mean()


def descend(loss: Tensor, *optimizers: torch.optim.Optimizer) -> None:
    for optimizer in optimizers:
        optimizer.zero_grad()
    torch.autograd.backward(loss)
    for optimizer in optimizers:
        optimizer.step()
