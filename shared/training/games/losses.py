"""What the players of a game descend."""

import torch
from torch import Tensor


def hinge(real: Tensor, made: Tensor) -> Tensor:
    return (1 - real).relu().mean() + (1 + made).relu().mean()


def descend(loss: Tensor, *optimizers: torch.optim.Optimizer) -> None:
    for optimizer in optimizers:
        optimizer.zero_grad()
    torch.autograd.backward(loss)
    for optimizer in optimizers:
        optimizer.step()
