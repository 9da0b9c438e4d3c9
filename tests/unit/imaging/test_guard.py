import pytest

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.guard import ImageFormat, ImageLimits, check_bytes, check_pixels, sniff
from tests.unit.imaging.pictures import FORMATS, encoded, quarters


@pytest.mark.parametrize("image_format", FORMATS)
def test_each_allowed_format_is_known_by_its_content(image_format: ImageFormat) -> None:
    assert sniff(encoded(quarters(), image_format)) is image_format


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xd8", b"hello, world", b"<svg></svg>", b"%PDF-1.7", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x18ftypmp42"],
)
def test_anything_else_is_unsupported(content: bytes) -> None:
    with pytest.raises(PoisonInput) as caught:
        sniff(content)
    assert caught.value.reason is RejectReason.UNSUPPORTED_FORMAT


def test_a_file_of_exactly_the_limit_passes_and_one_byte_more_does_not() -> None:
    limits = ImageLimits(max_bytes=10)
    check_bytes(bytes(10), limits)
    with pytest.raises(PoisonInput) as caught:
        check_bytes(bytes(11), limits)
    assert caught.value.reason is RejectReason.TOO_MANY_BYTES


def test_exactly_as_many_pixels_as_the_limit_pass_and_one_more_does_not() -> None:
    limits = ImageLimits(max_pixels=100)
    check_pixels(10, 10, limits)
    with pytest.raises(PoisonInput) as caught:
        check_pixels(101, 1, limits)
    assert caught.value.reason is RejectReason.TOO_MANY_PIXELS


@pytest.mark.parametrize(
    ("brands", "image_format"),
    [
        (b"avif\0\0\0\0", ImageFormat.AVIF),
        (b"avis\0\0\0\0msf1", ImageFormat.AVIF),
        (b"mif1\0\0\0\0mif1avif", ImageFormat.AVIF),
        (b"mif1\0\0\0\0miafMA1Aavif", ImageFormat.AVIF),
        (b"avif\0\0\0\0mif1heic", ImageFormat.AVIF),
        (b"heic\0\0\0\0mif1heic", ImageFormat.HEIF),
        (b"heix\0\0\0\0mif1avif", ImageFormat.HEIF),
        (b"hevc\0\0\0\0msf1", ImageFormat.HEIF),
        (b"mif1\0\0\0\0mif1heic", ImageFormat.HEIF),
        (b"msf1\0\0\0\0miafMiHBhevc", ImageFormat.HEIF),
    ],
)
def test_what_codec_is_in_an_iso_file_is_known_by_its_brands(brands: bytes, image_format: ImageFormat) -> None:
    assert sniff((8 + len(brands)).to_bytes(4) + b"ftyp" + brands) is image_format


def test_an_iso_file_that_names_no_codec_is_unsupported() -> None:
    with pytest.raises(PoisonInput, match="ftypmif1"):
        sniff(b"\0\0\0\x18ftypmif1\0\0\0\0mif1miaf")


@pytest.mark.parametrize("limit", ["max_bytes", "max_pixels", "max_scans", "max_chunks"])
def test_a_limit_that_lets_nothing_through_is_a_mistake(limit: str) -> None:
    with pytest.raises(ValueError, match=f"{limit} is 0"):
        ImageLimits(**{limit: 0})
