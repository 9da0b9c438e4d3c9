"""Building a segment in a process of its own: inserting takes a core for long, and Python's lock with it."""

import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from typing import BinaryIO, cast

import msgspec
import numpy as np

from shared.index.codebook import Codebook
from shared.index.sealed.description import SegmentDescription
from shared.index.segment import Row
from shared.index.vectors import Codes, ElementType, Metric

_COMMAND = (sys.executable, "-P", "-m", "shared.index.sealed.child")
_CHUNK_ROWS = 500
"""Few enough that whoever waits for Python's lock does not wait for long."""
_FRAME = struct.Struct(">I")


class BuildFailed(Exception):
    """The child ended without a segment; its own words are in the log. What it was to seal is where it was."""


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A segment whose live rows go into the new one. live: one bit a row, as numpy packs them."""

    description: SegmentDescription
    live: bytes


class PackedCodebook(msgspec.Struct, frozen=True, kw_only=True):
    """words: the bytes of float32, of that shape."""

    words: bytes
    shape: tuple[int, int, int]
    residual: bool

    @classmethod
    def of(cls, codebook: Codebook) -> "PackedCodebook":
        places, count, length = codebook.words.shape
        return cls(words=codebook.words.tobytes(), shape=(places, count, length), residual=codebook.residual)

    def unpacked(self) -> Codebook:
        return Codebook(words=np.frombuffer(self.words, np.float32).reshape(self.shape), residual=self.residual)


class BuildJob(msgspec.Struct, frozen=True, kw_only=True):
    """What to build: a segment in `folder`, of the live rows of `sources` there, and of the rows that are sent."""

    folder: str
    scheme: str
    element: ElementType
    metric: Metric
    sources: list[Source]
    codebook: PackedCodebook | None = None


class RowChunk(msgspec.Struct, frozen=True, kw_only=True):
    """codes: one after another."""

    rows: list[Row]
    codes: bytes


_encoder = msgspec.msgpack.Encoder()


class SegmentBuild:
    """One run of the child. Every method blocks; `end` may be called from another thread than `run`."""

    def __init__(self, job: BuildJob, command: Sequence[str] = _COMMAND) -> None:
        self._job = job
        self._child = child = subprocess.Popen(  # noqa: S603 - this interpreter and a module of ours
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
        )
        self._to_child = cast("BinaryIO", child.stdin)
        self._from_child = cast("BinaryIO", child.stdout)

    def run(self, rows: Sequence[Row], codes: Codes) -> SegmentDescription:
        """Return when the segment is in its folder. Raises BuildFailed."""
        try:
            with self._child, self._to_child as to_child, self._from_child as from_child:
                write_frame(to_child, _encoder.encode(self._job))
                for first in range(0, len(rows), _CHUNK_ROWS):
                    part = slice(first, first + _CHUNK_ROWS)
                    write_frame(to_child, _encoder.encode(RowChunk(rows=list(rows[part]), codes=codes[part].tobytes())))
                write_frame(to_child, b"")
                to_child.close()
                answer = from_child.read()
            if self._child.returncode == 0:
                return msgspec.json.decode(answer, type=SegmentDescription)
        except (OSError, ValueError) as error:  # ValueError: `end` closed the pipe
            raise BuildFailed(f"the child that builds a segment went away: {error}") from error
        raise BuildFailed(f"the child that builds a segment ended with status {self._child.returncode}")

    def end(self) -> None:
        """End the child if it still runs."""
        self._child.kill()
        self._child.wait()


def write_frame(to: BinaryIO, payload: bytes) -> None:
    to.write(_FRAME.pack(len(payload)))
    to.write(payload)


def read_frame(from_: BinaryIO) -> bytes:
    """Raises EOFError where the other side went away."""
    header = from_.read(_FRAME.size)
    payload = from_.read(_FRAME.unpack(header)[0]) if len(header) == _FRAME.size else b""
    if len(header) < _FRAME.size or len(payload) < _FRAME.unpack(header)[0]:
        raise EOFError
    return payload
