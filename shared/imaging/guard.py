"""What is checked before a decoder sees a byte."""

from dataclasses import dataclass
from enum import StrEnum

from shared.events.faults import PoisonInput, RejectReason


class ImageFormat(StrEnum):
    """The formats that are read, by Pillow's names for them."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """How large an image may be."""

    max_bytes: int = 32 * 1024 * 1024
    max_pixels: int = 50_000_000

    def __post_init__(self) -> None:
        if self.max_bytes < 1 or self.max_pixels < 1:
            raise ValueError(f"{self} must have positive limits")


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
    match data[:12]:
        case head if head.startswith(b"\xff\xd8\xff"):
            return ImageFormat.JPEG
        case head if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return ImageFormat.PNG
        case head if head.startswith(b"RIFF") and head.endswith(b"WEBP"):
            return ImageFormat.WEBP
        case head if head.startswith((b"GIF87a", b"GIF89a")):
            return ImageFormat.GIF
        case head if head.startswith(b"BM"):
            return ImageFormat.BMP
        case head if head.startswith((b"II*\0", b"MM\0*")):
            return ImageFormat.TIFF
    raise PoisonInput(
        RejectReason.UNSUPPORTED_FORMAT,
        f"the content begins with {data[:8]!r}, which is none of {', '.join(ImageFormat)}; convert it to one of them",
    )
