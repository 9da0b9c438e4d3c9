"""The losses of metric learning are those of their papers."""

import torch
from torch import nn

from shared.training.losses import metric_loss


def test_with_one_other_view_of_each_picture_the_supervised_loss_is_nt_xent() -> None:
    """Chen et al. 2020, equation 1: each view finds the other one of its picture among all of the batch."""
    embeddings = torch.randn(10, 4, generator=torch.Generator().manual_seed(1))
    unit = nn.functional.normalize(embeddings)
    similarity = (unit @ unit.T / 0.1).fill_diagonal_(-torch.inf)
    expected = nn.functional.cross_entropy(similarity, torch.arange(10).roll(5))
    rows = torch.arange(5).repeat(2)
    assert torch.allclose(metric_loss("supcon", classes=0, dim=4)(embeddings, rows), expected, atol=1e-5)
