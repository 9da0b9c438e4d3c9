"""A part of a picture is cut out of it upright, and from as many pixels as the whole would have."""

import io

import numpy as np
import pytest
from PIL import Image

from shared.events.region import Region
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits

RED, BLUE = (254, 0, 0), (0, 0, 254)


def halves(width: int = 800, height: int = 400, orientation: int = 1) -> bytes:
    """A JPEG whose left half is red, and whose right one is blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95, subsampling=0, exif=exif)
    return file.getvalue()


def colour_of(image: Image.Image) -> list[int]:
    return np.asarray(image).reshape(-1, 3).mean(axis=0).round().astype(int).tolist()


@pytest.mark.parametrize(("region", "colour"), [(Region(0, 0, 0.45, 1), RED), (Region(0.55, 0.5, 1, 1), BLUE)])
@pytest.mark.parametrize("size_hint", [None, 40])
def test_only_that_part_comes_out(region: Region, colour: tuple[int, int, int], size_hint: int | None) -> None:
    part = decode_rgb(halves(), ImageLimits(), size_hint, region)
    assert colour_of(part) == pytest.approx(colour, abs=3)


def test_it_is_a_part_of_the_upright_picture() -> None:
    turned = halves(orientation=6)  # to be turned to the right: what lies left comes on top
    assert colour_of(decode_rgb(turned, ImageLimits(), None, Region(0, 0, 1, 0.45))) == pytest.approx(RED, abs=3)


def test_a_large_jpeg_is_not_scaled_down_below_what_the_part_needs() -> None:
    whole = decode_rgb(halves(1600, 1600), ImageLimits(), 100)
    part = decode_rgb(halves(1600, 1600), ImageLimits(), 100, Region(0, 0, 0.125, 0.125))
    assert whole.size == (200, 200)
    assert min(part.size) >= 100


def test_the_smallest_part_is_a_pixel() -> None:
    assert decode_rgb(halves(8, 4), ImageLimits(), None, Region(0.5, 0.5, 0.500001, 0.500001)).size == (1, 1)


@pytest.mark.parametrize(
    "corners", [(0, 0, 0, 1), (0, 0.6, 1, 0.5), (-0.1, 0, 1, 1), (0, 0, 1, 1.5), (0, 0, 1, float("nan"))]
)
def test_what_is_no_part_is_refused(corners: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="left before right and top before bottom"):
        Region(*corners)
