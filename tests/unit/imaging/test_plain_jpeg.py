"""Which JPEGs may go to any decoder, and which need the careful one."""

from io import BytesIO

import pytest
from PIL import Image, ImageCms

from shared.imaging.guard import ImageLimits
from shared.imaging.plain_jpeg import plain_jpeg
from tests.unit.imaging.bombs import scan_bomb, segment_bomb
from tests.unit.imaging.pictures import encoded, quarters

LIMITS = ImageLimits(max_pixels=64 * 64)
PLAIN = encoded(quarters(), "JPEG")
APP14 = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0"


def changed(old: bytes, new: bytes) -> bytes:
    assert PLAIN.count(old) == 1
    return PLAIN.replace(old, new)


def with_segment(segment: bytes) -> bytes:
    return PLAIN[:2] + segment + PLAIN[2:]


def oriented(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(quarters(), "JPEG", exif=exif)


def film() -> bytes:
    """Two pictures in one file."""
    buffer = BytesIO()
    quarters().save(buffer, "MPO", save_all=True, append_images=[quarters()])
    return buffer.getvalue()


def without_jfif(data: bytes) -> bytes:
    """As cameras write them, whose EXIF stands first."""
    start = data.index(b"\xff\xe0")
    return data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4]) :]


PLAIN_FILES = {
    "baseline": PLAIN,
    "progressive": encoded(quarters(), "JPEG", progressive=True),
    "grey": encoded(quarters().convert("L"), "JPEG"),
    "not subsampled": encoded(quarters(), "JPEG", subsampling=0),
    "half subsampled": encoded(quarters(), "JPEG", subsampling=1),
    "with a comment": encoded(quarters(), "JPEG", comment=b"hello"),
    "with restarts": encoded(quarters(), "JPEG", restart_marker_rows=1),
    "of a camera": without_jfif(oriented(1)),
    "marked as YCbCr": with_segment(APP14 + b"\1"),
}

OTHER_FILES = {
    "nothing": b"",
    "a PNG": encoded(quarters(), "PNG"),
    "a WebP": encoded(quarters(), "WEBP"),
    "CMYK": encoded(quarters().convert("CMYK"), "JPEG"),
    "RGB by its marker": encoded(quarters(), "JPEG", keep_rgb=True),
    "RGB by Adobe's marker": with_segment(APP14 + b"\0"),
    "with a colour profile": encoded(
        quarters(), "JPEG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ),
    "of two pictures": film(),
    "without its end": PLAIN[:-1],
    "cut off": PLAIN[: len(PLAIN) // 2],
    "cut off in the header": PLAIN[:200],
    "with something behind its end": PLAIN + b"\0",
    "arithmetic": changed(b"\xff\xc0", b"\xff\xc9"),
    "lossless": changed(b"\xff\xc0", b"\xff\xc3"),
    "extended": changed(b"\xff\xc0", b"\xff\xc1"),
    "of 12 bits": changed(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"),
    "with other components": changed(b"\x03\x01\x22\0\x02\x11\x01", b"\x03\x00\x22\0\x02\x11\x01"),
    "with chroma finer than half": changed(b"\x03\x01\x22\0\x02\x11\x01", b"\x03\x01\x22\0\x02\x21\x01"),
    "of a height that comes later": changed(b"\xff\xc0\0\x11\x08\0\x40", b"\xff\xc0\0\x11\x08\0\0"),
    "a scan for each colour": changed(b"\xff\xda\0\x0c\x03", b"\xff\xda\0\x08\x01"),
    "of too many pixels": encoded(quarters(66), "JPEG"),
    "of too many scans": scan_bomb(64, 101),
    "of too many segments": segment_bomb(10_001),
}


@pytest.mark.parametrize("data", PLAIN_FILES.values(), ids=PLAIN_FILES)
def test_ordinary_files_are_plain(data: bytes) -> None:
    found = plain_jpeg(data, LIMITS)
    assert found is not None
    assert (found.data, found.orientation) == (data, 1)


@pytest.mark.parametrize("data", OTHER_FILES.values(), ids=OTHER_FILES)
def test_all_others_are_not(data: bytes) -> None:
    assert plain_jpeg(data, LIMITS) is None


def test_more_bytes_than_the_limit_are_not_looked_at() -> None:
    assert plain_jpeg(PLAIN, ImageLimits(max_bytes=len(PLAIN) - 1)) is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_read_from_the_header(orientation: int) -> None:
    found = plain_jpeg(oriented(orientation), LIMITS)
    assert found is not None
    assert found.orientation == orientation


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_descriptions_leave_the_picture_as_it_lies() -> None:
    found = plain_jpeg(encoded(quarters(), "JPEG", exif=b"Exif\0\0II*\0 and then nothing of the kind"), LIMITS)
    assert found is not None
    assert found.orientation == 1
