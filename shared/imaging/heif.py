"""HEIC is read where the package for it is installed, which is no part of Afterimage: see docs/images.md."""

from functools import cache

from shared.events.faults import PoisonInput, RejectReason

_NEEDED = {b"meta", b"mdat", b"moov"}
_LARGE, _TO_THE_END = 1, 0


def check_heif(data: bytes) -> None:
    """Raise PoisonInput: UNSUPPORTED_FORMAT where HEIC is not read, DECODE_FAILED for a file whose tail is missing.

    The library behind it paints over what is missing, and says nothing.
    """
    if not register_heif():
        raise PoisonInput(
            RejectReason.UNSUPPORTED_FORMAT,
            "the image is a HEIC, which is read where afterimage[heic] is installed; install it, or convert the image",
        )
    if _ends_early(data):
        raise PoisonInput(RejectReason.DECODE_FAILED, "the HEIF is truncated; upload it again, whole")


@cache
def register_heif() -> bool:
    """Have Pillow read HEIC from now on, where it can: return whether it does."""
    try:
        from pillow_heif import register_heif_opener  # noqa: PLC0415 - optional
    except ImportError:
        return False
    # Its library starts one thread for each tile, and then waits for it. Only the picture itself is of interest.
    register_heif_opener(decode_threads=0, thumbnails=False, depth_images=False, aux_images=False)
    return True


def _ends_early(data: bytes) -> bool:
    """Tell whether a box (ISO/IEC 14496-12, 4.2) that holds a part of the picture is longer than the file."""
    position = 0
    while position + 8 <= len(data):
        size, kind = int.from_bytes(data[position : position + 4]), data[position + 4 : position + 8]
        if size == _LARGE:
            size = int.from_bytes(data[position + 8 : position + 16])
        if size == _TO_THE_END:
            return False
        if position + size > len(data):
            return kind in _NEEDED
        position += max(size, 8)
    return False
