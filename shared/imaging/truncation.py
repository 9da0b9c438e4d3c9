"""JPEGs without a tail, as uploads leave them that broke off: read when nearly all of the picture is there."""

import math
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from itertools import islice

import numpy as np
from PIL import Image, ImageChops

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.structure import EOI, FRAMES, PROGRESSIVE, SOS, Segment, jpeg_segments

_END = bytes([0xFF, EOI])
_LOOKAHEAD = b"\xff\x00" * 8
"""libjpeg finishes no block before it has seen 64 bits more. These are no code of any picture."""
_ENOUGH_ROWS = 0.9
_ENOUGH_PRECISION = 1
"""How many of the last bits a scan may leave out (the parameter Al of ITU-T T.81, B.2.3)."""
_COEFFICIENTS = 64
_MOST_SEGMENTS = 10_000


def mend_jpeg(data: bytes) -> bytes | None:
    """Return a JPEG that has lost its end with a new one, or None if it has its own, or is no picture at all.

    libjpeg then paints what is missing: grey where there are no blocks, dull where there are no details.
    Raises PoisonInput (DECODE_FAILED) where what is there would not be taken for the same picture.
    """
    segments = list(islice(jpeg_segments(data), _MOST_SEGMENTS))
    if len(segments) == _MOST_SEGMENTS or any(segment.kind == EOI for segment in segments):
        return None
    whole = [segment for segment in segments if segment.end <= len(data)]
    cut = data if len(whole) == len(segments) else data[: segments[-1].start]
    frame = next((segment for segment in whole if segment.kind in FRAMES and len(segment.body) >= 6), None)
    scans = [segment for segment in whole if segment.kind == SOS and len(segment.body) >= 6]
    if frame is None or not scans:
        raise _truncated("it ends before the picture begins")
    layers = frame.body[5]
    if frame.kind not in PROGRESSIVE and scans[0].body[0] == layers:
        _check_there(_rows_there(cut), _ENOUGH_ROWS, "rows")
    else:
        ended = scans if segments[-1] is not scans[-1] else scans[:-1]
        _check_there(_coefficients_there(ended, layers), 1, "details")
    return cut + _END


def _check_there(share: float, needed: float, of_what: str) -> None:
    if share < needed:
        raise _truncated(f"{math.floor(100 * share)}% of its {of_what} are there, and {needed:.0%} are needed")


def _rows_there(cut: bytes) -> float:
    """Return the share of the rows of a file with one scan that are there.

    Two decoders draw the picture at 1/8 of its size, which is a row for every row of blocks. One is told that the
    data end and paints the rest; the other waits for more. It draws over the negative of the first one's picture, so
    that the rows it has not reached differ, whatever the colours are.
    """
    painted = _eighth(cut + _END)
    painted.load()
    drawn = ImageChops.invert(painted)
    waiting = _eighth(cut + _LOOKAHEAD)
    waiting.im = drawn.im
    with suppress(OSError):
        waiting.load()
    rows = painted.height
    differs = np.any((np.asarray(drawn) != np.asarray(painted)).reshape(rows, -1), axis=1)
    return int(np.argmax(np.append(differs, True))) / rows


def _eighth(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data), formats=["JPEG"])
    image.draft(None, (1, 1))
    return image


def _coefficients_there(ended: Sequence[Segment], layers: int) -> float:
    """Return the share of the 64 coefficients of each layer that are there from top to bottom, up to their last bit.

    The first bits of all coefficients come early, but a picture of these alone is too far from itself: docs/images.md.
    """
    drawn: set[tuple[int, int]] = set()
    for scan in ended:
        *_, first, last, bits = scan.body
        if bits & 0x0F <= _ENOUGH_PRECISION:
            drawn.update((layer, at) for layer in scan.body[1:-3:2] for at in range(first, last + 1))
    return len(drawn) / (_COEFFICIENTS * layers)


def _truncated(what_is_there: str) -> PoisonInput:
    return PoisonInput(
        RejectReason.DECODE_FAILED, f"the JPEG is truncated: {what_is_there}; upload it again, as a whole"
    )
