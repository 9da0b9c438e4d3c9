"""From the bytes of a file to upright RGB pixels."""

import struct
import zlib
from io import BytesIO

from PIL import ExifTags, Image, UnidentifiedImageError

from shared.events.faults import PoisonInput, RejectReason
from shared.events.region import Region
from shared.imaging.color import to_rgb
from shared.imaging.guard import ImageFormat, ImageLimits, check_file, check_pixels
from shared.imaging.heif import check_heif
from shared.imaging.region import cut_out, size_hint_of_whole
from shared.imaging.truncation import mend_jpeg

DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    EOFError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    struct.error,
    zlib.error,
)
"""What Pillow's parsers let out when a file is damaged: it promises no single class."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each orientation of EXIF 2.32, 4.6.4."""


def decode_rgb(
    data: bytes, limits: ImageLimits, size_hint: int | None = None, region: Region | None = None
) -> Image.Image:
    """Decode the first frame, turn it upright by its EXIF orientation, and return it in mode RGB, as sRGB.

    size_hint: the shorter side, in pixels, that the caller can make use of. A JPEG much
    larger than that is decoded at 1/2, 1/4 or 1/8 of its size, never below the hint.
    region: the part of the upright picture that is wanted; the hint is then for that.
    Blocks: call it in a thread, of which any number may run at once, or in a process that may die.
    Raises PoisonInput: what `check_file` raises, TOO_MANY_PIXELS, DECODE_FAILED, TOO_MUCH_MEMORY.
    """
    sniffed = check_file(data, limits)
    if sniffed is ImageFormat.HEIF:
        check_heif(data)
    try:
        if region is None:
            return _decode(data, sniffed, limits, size_hint)
        return cut_out(_decode(data, sniffed, limits, size_hint_of_whole(region, size_hint)), region)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        # Pillow's own limits lie above ours, and the smaller of them is an error only under -W error.
        raise PoisonInput(RejectReason.TOO_MANY_PIXELS, f"{error}; scale it down") from error
    except MemoryError as error:
        raise PoisonInput(
            RejectReason.TOO_MUCH_MEMORY, f"the {sniffed} needs more memory than one image is given; scale it down"
        ) from error
    except UnidentifiedImageError as error:  # its own message is about an object in memory
        raise _damaged(sniffed, "its header makes no sense") from error
    except DECODER_ERRORS as error:
        raise _damaged(sniffed, f"{type(error).__name__}: {error}") from error


def _decode(data: bytes, sniffed: ImageFormat, limits: ImageLimits, size_hint: int | None) -> Image.Image:
    image = _open(data, sniffed, limits, size_hint)
    try:
        image.load()
    except OSError:
        mended = mend_jpeg(data) if sniffed is ImageFormat.JPEG else None
        if mended is None:
            raise
        image = _open(mended, sniffed, limits, size_hint)
        image.load()
    if sniffed is ImageFormat.PNG:
        _scale_transparency(image, bits=data[24])
    turn = _UPRIGHT.get(orientation_of(image))
    image = to_rgb(image)
    return image if turn is None else image.transpose(turn)


def _open(data: bytes, sniffed: ImageFormat, limits: ImageLimits, size_hint: int | None) -> Image.Image:
    # Only the sniffed parser is tried, and at this point it reads no more than the header.
    image: Image.Image = Image.open(BytesIO(data), formats=[sniffed])
    check_pixels(*image.size, limits)
    if size_hint is not None and sniffed is ImageFormat.JPEG:  # others take an embedded thumbnail for the picture
        image.draft(None, (size_hint, size_hint))
    return image


def _scale_transparency(image: Image.Image, bits: int) -> None:
    """Bring the transparent colour of a PNG from the file's bit depth to that of the pixels: Pillow does not."""
    match image.info.get("transparency"):
        case int(grey) if image.mode == "L":
            image.info["transparency"] = grey * 255 // (2**bits - 1)
        case tuple(colour) if bits == 16:
            image.info["transparency"] = tuple(sample >> 8 for sample in colour)


def orientation_of(image: Image.Image) -> int:
    """Read which way up the picture is. It is shown as it lies where its EXIF data are damaged.

    A HEIC is turned by its decoder, as its own properties say; EXIF repeats them (ISO/IEC 23008-12, A.2.1).
    """
    if image.format == ImageFormat.HEIF:
        return 1
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except DECODER_ERRORS:
        return 1
    return orientation if isinstance(orientation, int) else 1


def _damaged(sniffed: ImageFormat, what: str) -> PoisonInput:
    return PoisonInput(
        RejectReason.DECODE_FAILED,
        f"the {sniffed} is damaged, or of a rare kind: {what}; save it anew and upload it again",
    )
