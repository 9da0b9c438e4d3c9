"""Each pooling is what its authors define, on maps of few numbers."""

import pytest
import torch

from shared.encoders.cnn.pooling import average, generalized_mean, maximum, regional_maxima

MAP = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[0.0, 0.0], [0.0, 8.0]]]])
TOKENS = MAP.flatten(2).transpose(1, 2)


@pytest.mark.parametrize("map_", [MAP, TOKENS], ids=["map", "tokens"])
def test_average_maximum_and_generalized_mean_of_a_map_and_of_tokens(map_: torch.Tensor) -> None:
    assert average(map_).tolist() == [[3.0, 2.0]]
    assert maximum(map_).tolist() == [[6.0, 8.0]]
    assert generalized_mean(map_, 1)[0].tolist() == pytest.approx([3.0, 2.0], abs=1e-4)
    cubes = [(1 + 8 + 27 + 216) / 4, 512 / 4]
    assert generalized_mean(map_, 3)[0].tolist() == pytest.approx([cube ** (1 / 3) for cube in cubes], rel=1e-4)
    assert generalized_mean(map_, 60)[0].tolist() == pytest.approx([6, 8], rel=0.03)


def test_regional_maxima_add_up_the_directions_of_every_region() -> None:
    """Of a 4 x 4 map: the whole, four of side 2 (of level 2), nine of side 2 (of level 3)."""
    map_ = torch.rand(1, 5, 4, 4, generator=torch.Generator().manual_seed(1))

    def region(top: int, left: int, side: int) -> torch.Tensor:
        found = map_[0, :, top : top + side, left : left + side].flatten(1).amax(dim=1)
        return found / found.norm()

    expected = region(0, 0, 4)
    expected = expected + sum(region(top, left, 2) for top in (0, 2) for left in (0, 2))
    expected = expected + sum(region(top, left, 2) for top in (0, 1, 2) for left in (0, 1, 2))
    assert torch.allclose(regional_maxima(map_)[0], expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(7, 7), (5, 9), (1, 3), (2, 2)])
def test_regional_maxima_see_every_place_of_a_map_of_any_shape(shape: tuple[int, int]) -> None:
    for place in range(shape[0] * shape[1]):
        map_ = torch.zeros(1, 2, *shape)
        map_[0, 0].view(-1)[place] = 1.0
        assert regional_maxima(map_)[0, 0] > 0


def test_tokens_have_no_regions() -> None:
    with pytest.raises(ValueError, match="R-MAC needs a map with a height and a width"):
        regional_maxima(TOKENS)


def test_a_vector_has_nothing_to_pool() -> None:
    with pytest.raises(ValueError, match=r"nothing to pool in an output of shape \(2, 5\)"):
        average(torch.zeros(2, 5))
