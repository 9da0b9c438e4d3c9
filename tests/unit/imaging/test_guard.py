import pytest

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.guard import ImageFormat, ImageLimits, check_bytes, check_pixels, sniff
from tests.unit.imaging.pictures import encoded, quarters


@pytest.mark.parametrize("image_format", ImageFormat)
def test_each_allowed_format_is_known_by_its_content(image_format: ImageFormat) -> None:
    assert sniff(encoded(quarters(), image_format)) is image_format


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xd8", b"hello, world", b"<svg></svg>", b"%PDF-1.7", b"RIFF\0\0\0\0WAVE", b"\0\0\0\x18ftypheic"],
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
    "brands", [b"avif\0\0\0\0", b"avis\0\0\0\0", b"mif1\0\0\0\0mif1avif", b"mif1\0\0\0\0miafMA1Aavif"]
)
def test_an_avif_is_known_by_any_of_its_brands(brands: bytes) -> None:
    assert sniff((8 + len(brands)).to_bytes(4) + b"ftyp" + brands) is ImageFormat.AVIF


def test_a_heic_is_unsupported() -> None:
    with pytest.raises(PoisonInput, match="ftypheic"):
        sniff(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


@pytest.mark.parametrize("limit", ["max_bytes", "max_pixels", "max_scans", "max_chunks"])
def test_a_limit_that_lets_nothing_through_is_a_mistake(limit: str) -> None:
    with pytest.raises(ValueError, match=f"{limit} is 0"):
        ImageLimits(**{limit: 0})
