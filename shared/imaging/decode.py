"""From the bytes of a file to upright RGB pixels."""

import struct
import zlib
from io import BytesIO

from PIL import Image, ImageOps

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.color import to_rgb
from shared.imaging.guard import ImageLimits, check_bytes, check_pixels, sniff

_DECODER_ERRORS = (
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


def decode_rgb(data: bytes, limits: ImageLimits, size_hint: int | None = None) -> Image.Image:
    """Decode the first frame, turn it upright by its EXIF orientation, and return it in mode RGB.

    size_hint: the shorter side, in pixels, that the caller can make use of. A JPEG much
    larger than that is decoded at 1/2, 1/4 or 1/8 of its size, never below the hint.
    Blocks: call it in a thread, of which any number may run at once.
    Raises PoisonInput: TOO_MANY_BYTES, TOO_MANY_PIXELS, UNSUPPORTED_FORMAT, DECODE_FAILED.
    """
    check_bytes(data, limits)
    sniffed = sniff(data)
    try:
        # Only the sniffed parser is tried, and at this point it reads no more than the header.
        image: Image.Image = Image.open(BytesIO(data), formats=[sniffed])
        check_pixels(*image.size, limits)
        if size_hint is not None:
            image.draft(None, (size_hint, size_hint))
        return to_rgb(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        # Pillow's own limits lie above ours, and the smaller of them is an error only under -W error.
        raise PoisonInput(RejectReason.TOO_MANY_PIXELS, f"{error}; scale it down") from error
    except _DECODER_ERRORS as error:
        raise PoisonInput(
            RejectReason.DECODE_FAILED,
            f"the {sniffed} is damaged: {type(error).__name__}: {error}. Upload the image again",
        ) from error
