"""How a file is put together, told without decoding it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.events.faults import PoisonInput, RejectReason

_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
"""Inside compressed data, 0xFF is always followed by 0 or a restart marker (ITU-T T.81, B.1.1.2 and B.1.1.5)."""
EOI, SOS = 0xD9, 0xDA
_TEM, _SOI = 0x01, 0xD8
_BARE = {_TEM, _SOI, EOI}
PROGRESSIVE = {0xC2, 0xCA}
_READ = PROGRESSIVE | {0xC0, 0xC1, 0xC3, 0xC9}
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A marker of a JPEG, with what belongs to it (ITU-T T.81, B.1.1.4); the data of a scan stand behind."""

    kind: int
    """The marker's second byte."""
    start: int
    """Where the marker is in the file."""
    end: int
    """Where the segment ends by its own length, which is behind the end of the file when that is cut off."""
    body: bytes


def jpeg_segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments of a JPEG as far as there are any; what stands behind its end included."""
    position = len(b"\xff\xd8")
    while (marker := _MARKER.search(data, position)) is not None:
        kind, start = marker[1][0], marker.end()
        position = start if kind in _BARE else start + int.from_bytes(data[start : start + 2])
        yield Segment(kind=kind, start=marker.start(), end=position, body=data[start + 2 : position])


def check_jpeg(data: bytes, *, max_scans: int, max_segments: int) -> None:
    """Raise PoisonInput for a JPEG of too many scans or segments, or of a kind that no decoder here reads.

    A byte limit and a pixel limit do not stop a scan bomb: 447 KB can ask for 14 s. The walk ends where
    the decoder will have all it wants, which for an ordinary baseline file is before the first pixel.
    """
    scans, layers, progressive = 0, 0, False
    for count, segment in enumerate(jpeg_segments(data)):
        kind, body = segment.kind, segment.body
        if kind == EOI:
            return
        if count == max_segments:
            raise _too_many_chunks("JPEG", max_segments)
        if kind in FRAMES and len(body) >= 6:
            _check_frame(kind, body[0])
            layers, progressive = body[5], kind in PROGRESSIVE
        elif kind == SOS and body:
            scans += 1
            if scans > max_scans:
                raise PoisonInput(
                    RejectReason.TOO_MANY_SCANS,
                    f"the JPEG has more than {max_scans} scans; save it again, as a baseline JPEG",
                )
            if not progressive and body[0] == layers:
                return


def check_png(data: bytes, *, max_chunks: int) -> None:
    """Raise PoisonInput (TOO_MANY_CHUNKS) for a PNG that is mostly headers of chunks."""
    position = len(b"\x89PNG\r\n\x1a\n")
    for _ in range(max_chunks):
        if position >= len(data) or data[position + 4 : position + 8] == b"IEND":
            return
        position += 12 + int.from_bytes(data[position : position + 4])
    raise _too_many_chunks("PNG", max_chunks)


def _check_frame(kind: int, precision: int) -> None:
    if precision != 8:
        raise PoisonInput(
            RejectReason.UNSUPPORTED_FORMAT, f"the JPEG has samples of {precision} bits; save it again with 8 bits"
        )
    if kind not in _READ:
        raise PoisonInput(
            RejectReason.UNSUPPORTED_FORMAT,
            f"the JPEG is of a kind that nobody reads (SOF{kind - 0xC0}); save it again, as a baseline JPEG",
        )


def _too_many_chunks(name: str, limit: int) -> PoisonInput:
    return PoisonInput(RejectReason.TOO_MANY_CHUNKS, f"the {name} is cut into more than {limit} pieces; save it again")
