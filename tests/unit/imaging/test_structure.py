"""Files that are cheap to send and dear to read."""

import pytest
from PIL import Image

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.guard import ImageLimits, check_file
from tests.unit.imaging.bombs import chunk_bomb, scan_bomb, segment_bomb
from tests.unit.imaging.pictures import encoded, quarters

LIMITS = ImageLimits()


def rejection(data: bytes, limits: ImageLimits = LIMITS) -> RejectReason:
    with pytest.raises(PoisonInput) as caught:
        check_file(data, limits)
    return caught.value.reason


def test_a_jpeg_of_exactly_the_limit_of_scans_passes_and_one_more_does_not() -> None:
    check_file(scan_bomb(64, LIMITS.max_scans), LIMITS)
    assert rejection(scan_bomb(64, LIMITS.max_scans + 1)) is RejectReason.TOO_MANY_SCANS


def test_an_ordinary_progressive_jpeg_has_few_scans() -> None:
    photo = Image.effect_noise((256, 256), 80).convert("RGB")
    check_file(encoded(photo, "JPEG", progressive=True), ImageLimits(max_scans=10))


def test_scans_are_not_counted_inside_of_metadata() -> None:
    thumbnails = b"\xff\xda\x00\x08" * 200
    check_file(encoded(quarters(), "JPEG", progressive=True, comment=thumbnails), LIMITS)


def test_what_follows_the_end_of_the_picture_is_not_read() -> None:
    check_file(encoded(quarters(), "JPEG", progressive=True) + b"\xff\xda\x00\x08" * 200, LIMITS)


def test_a_baseline_jpeg_is_not_searched_behind_its_only_scan() -> None:
    data = encoded(Image.effect_noise((64, 64), 80), "JPEG")
    check_file(data[:-2] + b"\xff\xda\x00\x08" * 200, LIMITS)


def test_fill_bytes_before_a_marker_hide_nothing() -> None:
    data = scan_bomb(64, LIMITS.max_scans + 1).replace(b"\xff\xda", b"\xff\xff\xff\xff\xda")
    assert rejection(data) is RejectReason.TOO_MANY_SCANS


@pytest.mark.parametrize("precision", [12, 16])
def test_a_jpeg_of_more_than_eight_bits_is_refused_as_such(precision: int) -> None:
    data = bytearray(encoded(quarters(), "JPEG"))
    data[data.index(b"\xff\xc0") + 4] = precision
    with pytest.raises(PoisonInput, match=f"unsupported_format: .* {precision} bits"):
        check_file(bytes(data), LIMITS)


def test_a_hierarchical_jpeg_is_refused_as_such() -> None:
    assert rejection(encoded(quarters(), "JPEG").replace(b"\xff\xc0", b"\xff\xc5")) is RejectReason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("bomb", [chunk_bomb, segment_bomb])
def test_a_file_of_many_small_pieces_is_refused(bomb) -> None:
    check_file(bomb(9_000), LIMITS)
    assert rejection(bomb(10_001)) is RejectReason.TOO_MANY_CHUNKS


@pytest.mark.parametrize("length", range(2, 700, 7))
def test_a_file_may_end_anywhere(length: int) -> None:
    for data in (encoded(quarters(), "JPEG", progressive=True), encoded(quarters(), "PNG")):
        if length >= 8:
            check_file(data[:length], LIMITS)
