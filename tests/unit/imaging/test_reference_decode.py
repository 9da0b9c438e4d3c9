"""The pixels are those of a second decoder: torchvision's, which brings its own libraries and applies no profiles."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import ExifTags, Image
from torchvision.io import ImageReadMode, decode_gif, decode_jpeg, decode_png, decode_webp

from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from tests.unit.imaging.handmade import adam7, png
from tests.unit.imaging.pictures import encoded

pytestmark = pytest.mark.filterwarnings("ignore:The image decoding and encoding capabilities of TorchVision")

RGB = ImageReadMode.RGB
REFERENCES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "JPEG": lambda data: decode_jpeg(data, mode=RGB, apply_exif_orientation=True),
    "PNG": lambda data: decode_png(data, mode=RGB),
    "WEBP": lambda data: decode_webp(data, mode=RGB),
    "GIF": decode_gif,
}


@cache
def photo() -> Image.Image:
    """A real photo, with sides that are multiples of nothing."""
    with Image.open(min(Path("tests/data/photos").glob("*/*.webp"))) as image:
        small = image.convert("RGB").resize((333, 251))
        small.info.clear()  # its colour profile above all
        return small


def reference(data: bytes, file_format: str) -> npt.NDArray[np.uint8]:
    decoded = REFERENCES[file_format](torch.frombuffer(bytearray(data), dtype=torch.uint8))
    return decoded.numpy().transpose(1, 2, 0)


def ours(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(decode_rgb(data, ImageLimits()))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"optimize": True, "quality": 30},
        {"subsampling": "4:4:4"},
        {"subsampling": "4:2:2"},
        {"restart_marker_blocks": 4},
    ],
    ids=str,
)
def test_a_jpeg(mode: str, options: dict[str, object]) -> None:
    data = encoded(photo().convert(mode), "JPEG", **options)
    assert np.array_equal(ours(data), reference(data, "JPEG"))


def test_a_ycck_jpeg() -> None:
    """Adobe's marker says how four layers are to be understood: 0 is CMYK, 2 is YCCK."""
    data = bytearray(encoded(photo().convert("CMYK"), "JPEG"))
    data[data.index(b"Adobe") + 11] = 2
    assert np.array_equal(ours(bytes(data)), reference(bytes(data), "JPEG"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_jpeg(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = encoded(photo(), "JPEG", exif=exif)
    assert np.array_equal(ours(data), reference(data, "JPEG"))


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P"])
def test_a_png(mode: str) -> None:
    data = encoded(photo().convert(mode), "PNG")
    assert np.array_equal(ours(data), reference(data, "PNG"))


@pytest.mark.parametrize("bits", [8, 16])
def test_an_interlaced_png(bits: int) -> None:
    samples = np.asarray(photo().convert("L")).astype(np.uint32) * (257 if bits == 16 else 1)
    data = adam7(samples, bits=bits)
    assert np.array_equal(ours(data)[:, :, 0], np.asarray(photo().convert("L")))
    if bits == 8:
        assert np.array_equal(ours(data), reference(data, "PNG"))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_png_of_few_greys(bits: int) -> None:
    data = png(8, 2, bits=bits, colours=0, rows=b"".join(b"\0" + bytes([0b00011011] * bits) for _ in range(2)))
    assert np.array_equal(ours(data), reference(data, "PNG"))


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp(lossless: bool) -> None:
    data = encoded(photo(), "WEBP", lossless=lossless)
    assert np.array_equal(ours(data), reference(data, "WEBP"))


def test_a_gif() -> None:
    data = encoded(photo().quantize(200), "GIF")
    assert np.array_equal(ours(data), reference(data, "GIF"))
