import numpy as np
import pytest
from PIL import Image, ImageCms

from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from tests.unit.imaging import icc
from tests.unit.imaging.bombs import profile_bomb
from tests.unit.imaging.pictures import RED, WHITE, corners, distance, encoded, quarters

LIMITS = ImageLimits()
WIDE = icc.screen_profile(icc.WIDE, gamma=2.2)


def colours() -> Image.Image:
    levels = np.linspace(0, 255, 16, dtype=np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3))


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
def test_a_wide_profile_is_applied_as_its_formulas_say(file_format: str) -> None:
    decoded = decode_rgb(encoded(colours(), file_format, icc_profile=WIDE, lossless=True), LIMITS)
    expected = icc.to_srgb(np.asarray(colours()), icc.WIDE, gamma=2.2)
    assert np.abs(np.asarray(decoded) - expected).max() < 2


@pytest.mark.parametrize("file_format", ["JPEG", "AVIF"])
def test_a_profile_is_applied_to_lossy_files_too(file_format: str) -> None:
    data = encoded(quarters(), file_format, icc_profile=WIDE, quality=95, subsampling="4:4:4")
    expected = icc.to_srgb(np.asarray(quarters()), icc.WIDE, gamma=2.2)
    assert distance(decode_rgb(data, LIMITS), Image.fromarray(expected.round().astype(np.uint8))) < 3


def test_a_profile_of_grey_is_applied() -> None:
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    decoded = decode_rgb(encoded(ramp, "PNG", icc_profile=icc.grey_profile(1.8)), LIMITS)
    expected = icc.encode_srgb((np.asarray(ramp) / 255) ** 1.8)
    assert np.abs(np.asarray(decoded)[:, :, 0] - expected).max() < 2


def test_a_profile_of_inks_is_applied() -> None:
    """Inks of which one alone leaves L* 50, and two or more leave nothing."""
    lightness = np.zeros((2, 2, 2, 2))
    lightness[0, 0, 0, 0] = 100
    for ink in np.eye(4, dtype=int):
        lightness[tuple(ink)] = 50
    image = Image.new("CMYK", (32, 32), (255, 0, 0, 0))
    image.paste((0, 0, 0, 0), (16, 0, 32, 32))
    [cyan, paper, *_] = corners(decode_rgb(encoded(image, "TIFF", icc_profile=icc.ink_profile(lightness)), LIMITS))
    assert cyan == pytest.approx((119, 119, 119), abs=2)
    assert paper == pytest.approx(WHITE, abs=2)


def test_transparency_survives_a_profile() -> None:
    image = quarters().convert("RGBA")
    image.paste((0, 0, 0, 0), (32, 0, 64, 32))
    assert corners(decode_rgb(encoded(image, "PNG", icc_profile=WIDE), LIMITS))[:2] == [RED, WHITE]


def test_a_profile_that_says_srgb_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(colours(), "PNG", icc_profile=srgb)
    assert decode_rgb(data, LIMITS).tobytes() == colours().tobytes()


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param(b"no profile at all", id="garbage"),
        pytest.param(WIDE[:200], id="cut off"),
        pytest.param(icc.grey_profile(1.0), id="for grey"),
        pytest.param(WIDE.replace(b"mntr", b"link"), id="a device link"),
        pytest.param(WIDE.replace(b"rXYZ", b"????"), id="without red"),
        pytest.param(WIDE + bytes(5 * 1024 * 1024), id="too large"),
        pytest.param(profile_bomb(50_000), id="of endless formulas"),
    ],
)
def test_a_profile_that_cannot_be_right_is_passed_over(profile: bytes) -> None:
    data = encoded(colours(), "WEBP", icc_profile=profile, lossless=True)
    assert decode_rgb(data, LIMITS).tobytes() == colours().tobytes()


def test_lab_colours_come_out_as_they_look() -> None:
    lab = Image.new("LAB", (8, 8), (round(54.3 * 2.55), 128 + 81, 128 + 70))  # pure red, seen by the light of D50
    assert decode_rgb(encoded(lab, "TIFF"), LIMITS).getpixel((4, 4)) == pytest.approx(RED, abs=12)
