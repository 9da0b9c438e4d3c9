"""The readout of a game's network: standardised statistics, their principal axes, and half of a whitening."""

import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn

from shared.training.games.readout import fit_readout
from shared.training.quality import among_classes


def drawn(count: int, deviations: list[float], seed: int = 1) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    rotation = torch.linalg.qr(torch.randn(len(deviations), len(deviations), generator=random)).Q
    return (torch.randn(count, len(deviations), generator=random) * torch.tensor(deviations)) @ rotation + 5


def test_it_is_half_of_the_whitening_that_scikit_learn_finds() -> None:
    values = drawn(500, [8.0, 4.0, 2.0, 1.0, 0.5, 0.2])
    weight, bias = fit_readout(values, [6], 4)
    read = values @ weight.T + bias
    standardised = ((values - values.mean(dim=0)) / values.std(dim=0, correction=0)).double().numpy()
    known = PCA(4).fit(standardised)
    expected = torch.from_numpy(known.transform(standardised) / known.explained_variance_**0.25)
    expected /= expected.norm(dim=1).mean()
    signs = (expected * read).sum(dim=0).sign()
    assert torch.allclose(read.double(), expected * signs, atol=1e-4)


def test_a_statistic_that_hardly_differs_is_not_blown_up() -> None:
    values = torch.cat([drawn(200, [1.0, 1.0]), torch.full((200, 1), 3.0)], dim=1)
    weight, bias = fit_readout(values, [3], 2)
    changed = values.clone()
    changed[:, 2] += 1e-3
    assert torch.allclose(changed @ weight.T + bias, values @ weight.T + bias, atol=1e-3)


def test_a_layer_of_many_channels_weighs_no_more_than_one_of_few() -> None:
    values = torch.cat([drawn(200, [1.0]), drawn(200, [1.0], seed=2).expand(-1, 50)], dim=1)
    weight, bias = fit_readout(values, [1, 50], 2)
    read = values @ weight.T + bias
    assert torch.allclose(read.std(dim=0)[0], read.std(dim=0)[1], rtol=0.1)


def test_where_there_are_fewer_axes_than_numbers_the_rest_is_zero() -> None:
    values = drawn(4, [1.0] * 10)
    weight, bias = fit_readout(values, [10], 8)
    read = values @ weight.T + bias
    assert read.shape == (4, 8)
    assert (read.abs().amax(dim=0) > 1e-3).tolist() == [True] * 3 + [False] * 5
    assert torch.isfinite(read).all()


def test_it_finds_classes_that_a_large_statistic_of_no_meaning_hides() -> None:
    random = torch.Generator().manual_seed(3)
    labels = torch.arange(120) % 4
    told = torch.eye(4)[labels] + 0.1 * torch.randn(120, 4, generator=random)
    values = torch.cat([told, 50 * torch.randn(120, 1, generator=random)], dim=1)
    weight, bias = fit_readout(values[:60], [5], 4)
    before = among_classes(values[60:], labels[60:]).mean_average_precision
    after = among_classes(nn.functional.linear(values[60:], weight, bias), labels[60:]).mean_average_precision
    assert after > before + 0.3
