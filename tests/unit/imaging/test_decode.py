from pathlib import Path

import pytest
from PIL import ExifTags, Image

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageFormat, ImageLimits
from tests.unit.imaging.bombs import frame_bomb, pixel_bomb
from tests.unit.imaging.pictures import BLUE, FORMATS, GREEN, RED, WHITE, corners, distance, encoded, quarters

LIMITS = ImageLimits()
PHOTOS = Path("tests/data/photos")


def rejection(data: bytes, limits: ImageLimits = LIMITS) -> RejectReason:
    with pytest.raises(PoisonInput) as caught:
        decode_rgb(data, limits)
    return caught.value.reason


@pytest.mark.parametrize("image_format", FORMATS)
def test_every_allowed_format_shows_the_same_picture(image_format: ImageFormat) -> None:
    decoded = decode_rgb(encoded(quarters(), image_format), LIMITS)
    assert (decoded.mode, decoded.size) == ("RGB", (64, 64))
    assert distance(decoded, quarters()) < 4


@pytest.mark.parametrize("photo", sorted(PHOTOS.glob("*/*.webp")), ids=lambda path: path.stem)
def test_real_photos_are_decoded_at_full_size(photo: Path) -> None:
    with Image.open(photo) as original:
        assert decode_rgb(photo.read_bytes(), LIMITS, 512).size == original.size


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (4, [BLUE, WHITE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, WHITE]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ],
)
def test_exif_orientation_turns_the_picture_upright(orientation: int, expected: list[tuple[int, int, int]]) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    assert corners(decode_rgb(encoded(quarters(), "PNG", exif=exif), LIMITS)) == expected


def test_a_jpeg_far_above_the_hint_is_decoded_smaller_but_never_below_it() -> None:
    data = encoded(quarters(2000).resize((2400, 2000)), "JPEG")
    assert decode_rgb(data, LIMITS, 500).size == (600, 500)
    assert decode_rgb(data, LIMITS, 501).size == (1200, 1000)
    assert decode_rgb(data, LIMITS).size == (2400, 2000)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_data_leave_the_picture_as_it_lies() -> None:
    data = encoded(quarters(), "JPEG", exif=b"Exif\0\0II*\0 and then nothing of the kind")
    assert distance(decode_rgb(data, LIMITS), quarters()) < 4


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "TIFF", "MPO"])
def test_of_several_frames_the_first_one_counts(file_format: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in (RED, BLUE)]
    decoded = decode_rgb(encoded(frames[0], file_format, save_all=True, append_images=frames[1:]), LIMITS)
    assert distance(decoded, frames[0]) < 4


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_truncated_file_is_damaged(image_format: ImageFormat) -> None:
    data = encoded(Image.effect_noise((64, 64), 80).convert("RGB"), image_format)
    assert rejection(data[: len(data) // 2]) is RejectReason.DECODE_FAILED


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow's TIFF reader warns before it gives up
@pytest.mark.parametrize("image_format", FORMATS)
def test_nothing_but_the_first_bytes_is_damaged(image_format: ImageFormat) -> None:
    assert rejection(encoded(quarters(), image_format)[:14]) is RejectReason.DECODE_FAILED


def test_a_flipped_byte_in_a_png_is_noticed() -> None:
    data = bytearray(encoded(quarters(), "PNG"))
    data[data.index(b"IDAT") + 10] ^= 0xFF
    assert rejection(bytes(data)) is RejectReason.DECODE_FAILED


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((7_100, 7_100), id="just above the limit"),
        pytest.param((12_000, 12_000), id="where Pillow warns"),
        pytest.param((60_000, 60_000), id="where Pillow refuses"),
    ],
)
def test_a_bomb_is_refused_by_its_header(size: tuple[int, int]) -> None:
    assert rejection(pixel_bomb(*size)) is RejectReason.TOO_MANY_PIXELS


def test_a_gif_of_many_large_frames_costs_one_frame() -> None:
    assert decode_rgb(frame_bomb(50), LIMITS).size == (2000, 2000)


def test_memory_that_is_not_there_is_the_images_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("shared.imaging.decode.to_rgb", refuse)
    assert rejection(encoded(quarters(), "PNG")) is RejectReason.TOO_MUCH_MEMORY


def test_a_file_above_the_byte_limit_is_not_opened() -> None:
    assert rejection(encoded(quarters(), "PNG"), ImageLimits(max_bytes=100)) is RejectReason.TOO_MANY_BYTES


def test_a_text_file_named_jpg_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_text("this is not a photo")
    assert rejection(path.read_bytes()) is RejectReason.UNSUPPORTED_FORMAT


def test_a_format_outside_of_the_list_is_unsupported_although_pillow_reads_it() -> None:
    assert rejection(encoded(quarters(), "PPM")) is RejectReason.UNSUPPORTED_FORMAT
