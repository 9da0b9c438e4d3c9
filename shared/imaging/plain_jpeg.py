"""JPEGs of the most ordinary kind, which every decoder reads alike."""

from dataclasses import dataclass, field
from io import BytesIO

from PIL import Image

from shared.events.faults import PoisonInput
from shared.imaging.decode import DECODER_ERRORS, orientation_of
from shared.imaging.guard import ImageFormat, ImageLimits, check_file, check_pixels
from shared.imaging.structure import EOI, FRAMES, SOS, jpeg_segments

_BASELINE, _PROGRESSIVE = 0xC0, 0xC2
_APP1, _APP2, _ADOBE = 0xE1, 0xE2, 0xEE
_YCBCR_IDS = b"\1\2\3"
_NOT_SUBSAMPLED = 0x11
_END = bytes([0xFF, EOI])


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainJpeg:
    """A file that may go to any decoder of JPEGs, within the limits that it was held to."""

    data: bytes = field(repr=False)
    orientation: int
    """Which way up the picture lies: EXIF 2.32, 4.6.4. Anything but 2 to 8 is upright."""


def plain_jpeg(data: bytes, limits: ImageLimits) -> PlainJpeg | None:
    """Return the file as a plain JPEG, or None if it is anything else, refused by a limit, or cut off.

    Plain is: 8 bits a sample; baseline or progressive, all colours in the first scan; grey, or YCbCr with only the
    chroma subsampled; no APP2 segment, which holds colour profiles and lists of further pictures. Nothing is decoded.
    """
    try:
        if check_file(data, limits) is not ImageFormat.JPEG or not data.endswith(_END):
            return None
        if (header := _plain_header(data)) is None:
            return None
        check_pixels(header.width, header.height, limits)
        return PlainJpeg(data=data, orientation=_orientation(data) if header.described else 1)
    except (PoisonInput, *DECODER_ERRORS):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    width: int
    height: int
    described: bool
    """Whether EXIF or XMP say something about the picture."""


def _plain_header(data: bytes) -> _Header | None:
    """Read the segments up to the first scan, of which the guard has checked that they are not too many."""
    frame, described = b"", False
    for segment in jpeg_segments(data):
        kind, body = segment.kind, segment.body
        if kind == _APP2 or (kind == _ADOBE and body[:5] == b"Adobe" and body[11:12] != b"\1"):
            return None
        if kind in FRAMES:
            if frame or kind not in {_BASELINE, _PROGRESSIVE} or not _is_plain(body):
                return None
            frame = body
        if kind == SOS:
            width, height = int.from_bytes(frame[3:5]), int.from_bytes(frame[1:3])
            is_whole = bool(frame) and body[:1] == frame[5:6]
            return _Header(width=width, height=height, described=described) if is_whole and width and height else None
        described |= kind == _APP1
    return None


def _is_plain(frame: bytes) -> bool:
    """Judge a frame's header (ITU-T T.81, B.2.2) by its precision, the ids of its components and their sampling."""
    precision, components, ids, sampling = frame[:1], frame[5:6], frame[6::3], frame[7::3]
    if precision != b"\x08" or len(frame) != 6 + 3 * len(ids) or components != bytes([len(ids)]):
        return False
    return len(ids) == 1 or (ids == _YCBCR_IDS and set(sampling[1:]) == {_NOT_SUBSAMPLED})


def _orientation(data: bytes) -> int:
    return orientation_of(Image.open(BytesIO(data), formats=[ImageFormat.JPEG]))  # which reads the header only
