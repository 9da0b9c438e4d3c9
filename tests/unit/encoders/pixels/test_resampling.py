"""Pixels scaled on the device are those that Pillow scales to, so that one index may hold codes of both."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image

from shared.encoders.encoder import Encoder
from shared.encoders.pixels.jpeg_decoder import decode_jpegs
from shared.encoders.pixels.preprocessing import Interpolation, Preprocessing
from shared.encoders.pixels.resampling import to_square
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from tests.unit.encoders.photos import FILES
from tests.unit.imaging.pictures import encoded

CPU = torch.device("cpu")


def photo(file: Path) -> Image.Image:
    with Image.open(file) as image:
        return image.convert("RGB")


def jpegs() -> list[bytes]:
    return [encoded(photo(file), "JPEG") for file in FILES]


def preprocessing(interpolation: Interpolation, crop: int, resize: int) -> Preprocessing:
    return Preprocessing(
        crop=crop, resize=resize, interpolation=interpolation, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
    )


def on_the_device(files: list[bytes], to: Preprocessing) -> torch.Tensor:
    return torch.stack([to_square(image, to, orientation=1) for image in decode_jpegs(files, CPU)])


def by_pillow(files: list[bytes], to: Preprocessing) -> torch.Tensor:
    squares = [to.to_pixels(decode_rgb(file, ImageLimits(), to.decode_size)) for file in files]
    return torch.from_numpy(np.stack(squares))


def differences(files: list[bytes], to: Preprocessing) -> torch.Tensor:
    """The mean absolute difference of each photo, on the scale 0 to 255."""
    found = on_the_device(files, to)
    assert (found.dtype, found.shape) == (torch.uint8, (len(files), 3, to.crop, to.crop))
    return (found.float() - by_pillow(files, to).float()).abs().mean(dim=(1, 2, 3))


@pytest.mark.parametrize("interpolation", get_args(Interpolation))
def test_photos_differ_by_rounding(interpolation: Interpolation) -> None:
    found = differences(jpegs(), preprocessing(interpolation, 224, 256))
    assert found.mean() < 0.05
    assert found.max() < 0.3


@pytest.mark.parametrize("resize", [31, 15])
def test_photos_that_pillow_decodes_smaller_differ_by_half_a_level(resize: int) -> None:
    found = differences(jpegs(), preprocessing("bicubic", resize, resize))
    assert found.mean() < 0.3
    assert found.max() < 0.6


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3), (224, 224), (223, 447), (640, 481), (900, 700)])
def test_any_shape_of_image_is_cut_as_by_pillow(size: tuple[int, int]) -> None:
    to = preprocessing("bicubic", 336, 384)
    image = torch.from_numpy(np.asarray(slope(*size)).copy()).permute(2, 0, 1)
    difference = np.abs(to_square(image, to, orientation=1).numpy().astype(int) - to.to_pixels(slope(*size)))
    assert difference.max() <= 1


def slope(width: int, height: int) -> Image.Image:
    """Another shade at each place. Clear of black and white, where it would matter which axis is scaled first."""
    across, down = np.linspace(20, 120, width)[None, :], np.linspace(0, 110, height)[:, None]
    return Image.fromarray(np.stack([across + down, across + 0 * down, 0 * across + down + 20], 2).astype(np.uint8))


def test_the_vectors_of_photos_are_the_same_up_to_rounding(encoder: Encoder) -> None:
    assert cosines(encoder, jpegs()[::3]).min() > 0.999


def test_the_vectors_of_large_photos_are_the_same_up_to_rounding(encoder: Encoder) -> None:
    assert cosines(encoder, mosaics()).min() > 0.999


def cosines(encoder: Encoder, files: list[bytes]) -> torch.Tensor:
    found, expected = (encoder.encode(way(files, encoder.preprocessing)) for way in (on_the_device, by_pillow))
    return torch.nn.functional.cosine_similarity(found, expected)


def mosaics() -> list[bytes]:
    """Of 25 photos each, which Pillow decodes at half their size for the default encoder, fine details and all."""
    tiles = [photo(file).resize((320, 240)) for file in FILES[:50]]
    pictures = []
    for first in (0, 25):
        picture = Image.new("RGB", (1600, 1200))
        for at, tile in enumerate(tiles[first : first + 25]):
            picture.paste(tile, (at % 5 * 320, at // 5 * 240))
        pictures.append(encoded(picture, "JPEG"))
    return pictures
