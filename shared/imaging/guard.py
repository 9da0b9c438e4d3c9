"""What is checked before a decoder sees a byte."""

import re
from dataclasses import dataclass, fields
from enum import StrEnum

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.structure import check_jpeg, check_png


class ImageFormat(StrEnum):
    """The formats that are read, by Pillow's names for them."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    AVIF = "AVIF"
    HEIF = "HEIF"
    """HEIC, that is. Read where `register_heif` says so."""


_ISO_FILE = rb"....ftyp(?:m[is]f1(?:....){1,32}?)?%b"
_SIGNATURES = {
    ImageFormat.JPEG: re.compile(rb"\xff\xd8\xff"),
    ImageFormat.PNG: re.compile(rb"\x89PNG\r\n\x1a\n"),
    ImageFormat.WEBP: re.compile(rb"RIFF....WEBP", re.DOTALL),
    ImageFormat.GIF: re.compile(rb"GIF8[79]a"),
    ImageFormat.BMP: re.compile(rb"BM"),
    ImageFormat.TIFF: re.compile(rb"II\*\0|MM\0\*"),
    # The file type box of ISO/IEC 14496-12: a major brand, a version, and then the compatible brands. The codec
    # has a brand of its own, which the brands for any codec (ISO/IEC 23008-12, 10.2) leave to the compatible ones.
    ImageFormat.AVIF: re.compile(_ISO_FILE % rb"avi[fs]", re.DOTALL),
    ImageFormat.HEIF: re.compile(_ISO_FILE % rb"he[iv][cmsx]", re.DOTALL),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """What an image may ask for, as far as its bytes tell before anything is decoded."""

    max_bytes: int = 32 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_scans: int = 100
    """Of a JPEG. Progressive files have about ten; each one costs a walk over the whole picture."""
    max_chunks: int = 10_000
    """Of a PNG, and segments of a JPEG. A PNG of 32 MiB in the usual 8 KiB pieces has 4,100."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise ValueError(f"ImageLimits.{field.name} is {getattr(self, field.name)}; it must be positive")


def check_file(data: bytes, limits: ImageLimits) -> ImageFormat:
    """Tell the format of a file that is safe to open. The cost is far below that of decoding it.

    Raises PoisonInput: TOO_MANY_BYTES, TOO_MANY_SCANS, TOO_MANY_CHUNKS, UNSUPPORTED_FORMAT.
    """
    check_bytes(data, limits)
    sniffed = sniff(data)
    if sniffed is ImageFormat.JPEG:
        check_jpeg(data, max_scans=limits.max_scans, max_segments=limits.max_chunks)
    elif sniffed is ImageFormat.PNG:
        check_png(data, max_chunks=limits.max_chunks)
    return sniffed


def check_bytes(data: bytes, limits: ImageLimits) -> None:
    """Raise PoisonInput (TOO_MANY_BYTES) for an image that is too large as a file."""
    if len(data) > limits.max_bytes:
        raise PoisonInput(
            RejectReason.TOO_MANY_BYTES, f"the image has {len(data)} bytes, and the limit is {limits.max_bytes}"
        )


def check_pixels(width: int, height: int, limits: ImageLimits) -> None:
    """Raise PoisonInput (TOO_MANY_PIXELS) for an image that is too large once decoded."""
    if width * height > limits.max_pixels:
        raise PoisonInput(
            RejectReason.TOO_MANY_PIXELS,
            f"the image has {width} x {height} pixels, and the limit is {limits.max_pixels} in all; scale it down",
        )


def sniff(data: bytes) -> ImageFormat:
    """Tell the format by the content's first bytes; names and content types are not to be trusted.

    Raises PoisonInput (UNSUPPORTED_FORMAT).
    """
    for image_format, signature in _SIGNATURES.items():
        if signature.match(data):
            return image_format
    raise PoisonInput(
        RejectReason.UNSUPPORTED_FORMAT,
        f"the content begins with {data[:12]!r}, which is none of {', '.join(ImageFormat)}; convert it to one of them",
    )
