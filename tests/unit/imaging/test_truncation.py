"""JPEGs that lack their end, as people upload them."""

import re
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from shared.imaging.truncation import mend_jpeg
from tests.unit.imaging.pictures import encoded

LIMITS = ImageLimits()
PHOTOS = sorted(Path("tests/data/photos").glob("*/*.webp"))[::10]
KINDS = {
    "4:2:0": {},
    "4:4:4": {"subsampling": "4:4:4"},
    "restarts": {"restart_marker_blocks": 5},
    "progressive": {"progressive": True},
}
END = 2
CUTS = (0.3, 0.6, 0.8, 0.88, 0.9, 0.92, 0.95, 0.98, 0.999)


@cache
def photo(path: Path, mode: str = "RGB") -> Image.Image:
    with Image.open(path) as image:
        small = image.convert(mode).resize((333, 501))
        small.info.clear()  # its colour profile above all
        return small


def refusal(data: bytes) -> str:
    with pytest.raises(PoisonInput) as caught:
        decode_rgb(data, LIMITS)
    assert caught.value.reason is RejectReason.DECODE_FAILED
    return caught.value.detail


def rows_alike(left: Image.Image, right: Image.Image) -> int:
    """How many rows are the same in both, from the top."""
    differs = np.any(np.asarray(left) != np.asarray(right), axis=(1, 2))
    return int(np.argmax(differs)) if differs.any() else differs.size


@pytest.mark.parametrize("kind", ["4:2:0", "4:4:4", "restarts"])
@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_a_baseline_jpeg_is_read_when_nine_rows_of_ten_are_there(path: Path, kind: str) -> None:
    data = encoded(photo(path), "JPEG", **KINDS[kind])
    whole = decode_rgb(data, LIMITS)
    for share in CUTS:
        cut = data[: int(share * len(data))]
        with Image.open(BytesIO(cut + b"\xff\xd9")) as painted:
            there = rows_alike(painted, whole)
        try:
            assert rows_alike(decode_rgb(cut, LIMITS), whole) == there
            assert there >= 0.9 * whole.height - 1  # a row of a block is smoothed into the next one
        except PoisonInput as fault:
            [said] = re.findall(r"truncated: (\d+)% of its rows", fault.detail)
            assert int(said) < 90
            assert there - 16 <= int(said) / 100 * whole.height + whole.height / 100
            assert int(said) / 100 * whole.height <= there + 1


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_a_progressive_jpeg_is_read_when_all_but_the_last_bits_of_its_details_are_there(path: Path) -> None:
    data = encoded(photo(path), "JPEG", progressive=True)
    scans = [found.start() for found in re.finditer(rb"\xff\xda", data)]
    assert len(scans) == 10  # libjpeg's own: five bring the coefficients, the sixth refines them up to their last bit
    for ended, start in enumerate(scans[1:], start=1):
        cut = data[: start + 20]
        if ended < 6:
            assert re.match(r"the JPEG is truncated: \d+% of its details are there", refusal(cut))
        else:
            difference = np.asarray(decode_rgb(cut, LIMITS), dtype=int) - np.asarray(photo(path))
            assert np.abs(difference).mean() < 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("side", [3, 8, 16, 40, 300])
def test_a_jpeg_that_lacks_nothing_but_its_end_is_the_same_picture(kind: str, mode: str, side: int) -> None:
    data = encoded(photo(PHOTOS[0], mode).resize((side, side)), "JPEG", **KINDS[kind])
    for missing in range(1, END + 1):
        assert decode_rgb(data[:-missing], LIMITS).tobytes() == decode_rgb(data, LIMITS).tobytes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hint", [40, 80, 160])
def test_a_truncated_jpeg_is_decoded_smaller_like_any_other(kind: str, hint: int) -> None:
    data = encoded(photo(PHOTOS[1]), "JPEG", **KINDS[kind])
    cut = data[: int(0.97 * len(data))]
    whole, painted = decode_rgb(data, LIMITS, hint), decode_rgb(cut, LIMITS, hint)
    assert painted.size == whole.size
    assert whole.width < 333
    assert kind == "progressive" or rows_alike(painted, whole) >= 0.9 * whole.height - 1


def test_rows_in_the_colour_of_the_paint_are_told_from_rows_that_are_missing() -> None:
    """libjpeg paints what is missing in the grey of this picture, and black is what memory has."""
    for colour in (128, 0, 255):
        flat_below = Image.new("L", (800, 800), colour)
        flat_below.paste(Image.effect_noise((800, 200), 80))
        data = encoded(flat_below, "JPEG")
        assert "truncated: 60% of its rows" in refusal(data[:-3000])  # a flat row of 100 blocks has 75 bytes


@pytest.mark.parametrize("kind", KINDS)
def test_a_jpeg_may_end_anywhere(kind: str) -> None:
    data = encoded(photo(PHOTOS[2]).resize((48, 48)), "JPEG", **KINDS[kind])
    for length in range(3, len(data)):
        try:
            assert decode_rgb(data[:length], LIMITS).size == (48, 48)
        except PoisonInput as fault:
            assert fault.reason is RejectReason.DECODE_FAILED  # noqa: PT017 -- it may be read, too


def test_a_jpeg_that_ends_before_its_picture_says_so() -> None:
    data = encoded(photo(PHOTOS[0]), "JPEG")
    with pytest.raises(PoisonInput, match="ends before the picture begins"):
        mend_jpeg(data[: data.index(b"\xff\xda") + 4])


def test_a_whole_jpeg_is_not_mended() -> None:
    assert mend_jpeg(encoded(photo(PHOTOS[0]), "JPEG") + b"and more") is None


def test_a_truncated_picture_is_turned_upright_too() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    assert decode_rgb(encoded(photo(PHOTOS[0]), "JPEG", exif=exif)[:-100], LIMITS).size == (501, 333)


def test_a_truncated_jpeg_of_several_pictures_is_judged_by_its_first() -> None:
    first, second = photo(PHOTOS[0]), photo(PHOTOS[1])
    data = encoded(first, "MPO", save_all=True, append_images=[second])
    alone = len(encoded(first, "JPEG"))
    assert decode_rgb(data[: alone + 2000], LIMITS).size == first.size
    assert "of its rows are there" in refusal(data[: alone // 2])
