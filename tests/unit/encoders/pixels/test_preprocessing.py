from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from shared.encoders.pixels.normalization import Normalization
from shared.encoders.pixels.preprocessing import Preprocessing
from tests.unit.encoders.photos import FILES

PREPROCESSING = Preprocessing(
    crop=224, resize=256, interpolation="bicubic", mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0)
)


def textbook(image: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Resize the shorter side, then cut the centre out: two steps, rounded in between."""
    scale = 256 / min(image.size)
    resized = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    left, top = (resized.width - 224) // 2, (resized.height - 224) // 2
    return np.asarray(resized.crop((left, top, left + 224, top + 224))).transpose(2, 0, 1)


def test_scaling_and_cutting_in_one_step_gives_the_same_picture_as_in_two() -> None:
    for file in FILES[::10]:
        with Image.open(file) as image:
            square = image.convert("RGB").crop((0, 0, min(image.size), min(image.size)))
        difference = np.abs(PREPROCESSING.to_pixels(square).astype(int) - textbook(square))
        assert difference.mean() < 0.5


@pytest.mark.parametrize("size", [(1, 1), (3, 5000), (5000, 3), (224, 224), (640, 480)])
def test_any_shape_of_image_fills_the_square(size: tuple[int, int]) -> None:
    pixels = PREPROCESSING.to_pixels(Image.new("RGB", size, (10, 20, 30)))
    assert (pixels.shape, pixels.dtype) == ((3, 224, 224), np.uint8)
    assert pixels.flags.c_contiguous
    assert pixels[:, 100, 100].tolist() == [10, 20, 30]


def test_the_centre_is_cut_out() -> None:
    image = Image.new("RGB", (600, 200), "black")
    image.paste("white", (200, 0, 400, 200))
    assert PREPROCESSING.to_pixels(image).min() == 255


def test_values_are_normalised_channel_by_channel() -> None:
    usual = replace(PREPROCESSING, mean=(0.0, 10.0, 20.0), std=(1.0, 2.0, 4.0))
    images = torch.tensor([4, 14, 24], dtype=torch.uint8).view(1, 3, 1, 1).expand(2, 3, 8, 8)
    values = Normalization(usual)(images)
    assert values.dtype is torch.float32
    assert values[1, :, 5, 5].tolist() == [4, 2, 1]


@pytest.mark.parametrize(
    "wrong", [{"crop": 257}, {"crop": 0}, {"interpolation": "best"}, {"std": (1.0, 0.0, 1.0)}], ids=str
)
def test_an_impossible_preprocessing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        replace(PREPROCESSING, **wrong)
