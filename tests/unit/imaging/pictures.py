"""Small files of every kind, made by Pillow."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shared.imaging.guard import ImageFormat
from shared.imaging.heif import register_heif

needs_heic = pytest.mark.skipif(not register_heif(), reason="afterimage[heic] is not installed")
FORMATS = [pytest.param(name, marks=needs_heic if name is ImageFormat.HEIF else ()) for name in ImageFormat]
"""Those that are read here."""

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def quarters(side: int = 64) -> Image.Image:
    """Four colours, one in each corner, so that every rotation and mirroring differs."""
    image = Image.new("RGB", (side, side), RED)
    half = side // 2
    image.paste(GREEN, (half, 0, side, half))
    image.paste(BLUE, (0, half, half, side))
    image.paste(WHITE, (half, half, side, side))
    return image


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    """The colours in the middle of each quarter, in reading order."""
    width, height = image.size
    places = [(width // 4, height // 4), (3 * width // 4, height // 4)]
    places += [(x, 3 * height // 4) for x, _ in places]
    return [tuple(image.getpixel(place)) for place in places]


def distance(left: Image.Image, right: Image.Image) -> float:
    """The mean absolute difference of two images of one size, on the scale 0 to 255."""
    assert left.size == right.size
    return float(np.abs(np.asarray(left, dtype=int) - np.asarray(right, dtype=int)).mean())
