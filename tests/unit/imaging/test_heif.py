"""HEIC, which an optional package reads."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from shared.imaging.heif import register_heif
from tests.unit.imaging import icc
from tests.unit.imaging.pictures import BLUE, RED, WHITE, corners, distance, encoded, needs_heic, quarters

LIMITS = ImageLimits()
LOSSLESS = {"quality": -1, "chroma": 444}
UNREADABLE = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def thread_count() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


@pytest.fixture
def not_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    register_heif.cache_clear()
    yield
    register_heif.cache_clear()


@pytest.mark.usefixtures("not_installed")
def test_without_the_package_a_heic_is_unsupported_and_the_reject_says_what_to_install() -> None:
    with pytest.raises(PoisonInput, match=r"afterimage\[heic\]") as caught:
        decode_rgb(UNREADABLE, LIMITS)
    assert caught.value.reason is RejectReason.UNSUPPORTED_FORMAT


@needs_heic
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
def test_a_heic(mode: str) -> None:
    data = encoded(quarters().convert(mode), "HEIF", **LOSSLESS)
    assert distance(decode_rgb(data, LIMITS), quarters().convert(mode).convert("RGB")) < 2


@needs_heic
def test_alpha_is_drawn_over_white() -> None:
    image = quarters().convert("RGBA")
    image.paste((0, 0, 0, 0), (32, 0, 64, 32))
    [_, hole, *_] = corners(decode_rgb(encoded(image, "HEIF", **LOSSLESS), LIMITS))
    assert hole == pytest.approx(WHITE, abs=2)


@needs_heic
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("told_by", ["exif", "xmp"])
def test_a_picture_that_its_decoder_turned_is_not_turned_again(orientation: int, told_by: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    told = {"exif": exif.tobytes(), "xmp": f"<tiff:Orientation>{orientation}</tiff:Orientation>".encode()}
    upright = decode_rgb(encoded(quarters(), "PNG", exif=exif), LIMITS)
    turned = decode_rgb(encoded(quarters(), "HEIF", **LOSSLESS, **{told_by: told[told_by]}), LIMITS)
    assert distance(turned, upright) < 2


@needs_heic
def test_a_profile_is_applied() -> None:
    profile = icc.screen_profile(icc.WIDE, gamma=2.2)
    decoded = decode_rgb(encoded(quarters(), "HEIF", **LOSSLESS, icc_profile=profile), LIMITS)
    expected = icc.to_srgb(np.asarray(quarters()), icc.WIDE, gamma=2.2)
    assert distance(decoded, Image.fromarray(expected.round().astype(np.uint8))) < 3


@needs_heic
def test_of_several_pictures_the_primary_one_counts_and_no_thumbnail_stands_for_it() -> None:
    first, second = (Image.new("RGB", (64, 64), colour) for colour in (RED, BLUE))
    data = encoded(first, "HEIF", **LOSSLESS, save_all=True, append_images=[second], primary_index=1, thumbnails=[32])
    decoded = decode_rgb(data, LIMITS, size_hint=16)
    assert decoded.size == (64, 64)
    assert distance(decoded, second) < 2


@needs_heic
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_heic_without_its_tail_is_refused_although_its_library_would_read_it(share: float) -> None:
    data = encoded(Image.effect_noise((256, 256), 80), "HEIF")
    with pytest.raises(PoisonInput, match="decode_failed"):
        decode_rgb(data[: int(share * len(data))], LIMITS)


@needs_heic
def test_what_other_programs_append_to_a_heic_is_passed_over() -> None:
    data = encoded(quarters(), "HEIF", **LOSSLESS)
    for appended in (bytes(100), b"\xff" * 100, b"\0\0\0\x08free", b"\0"):
        assert decode_rgb(data + appended, LIMITS).size == (64, 64)


@needs_heic
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows a library's threads")
def test_a_heic_is_decoded_by_one_thread_beside_the_one_that_waits() -> None:
    tiled = encoded(Image.effect_noise((1024, 1024), 80).convert("RGB"), "HEIF", tile_size=256)
    counts = [thread_count()]
    done = threading.Event()

    def count() -> None:
        while not done.is_set():
            counts.append(thread_count())

    counting = threading.Thread(target=count)
    counting.start()
    decode_rgb(tiled, LIMITS)
    done.set()
    counting.join()
    assert max(counts) <= counts[0] + 2  # the one that counts, and the one that decodes
