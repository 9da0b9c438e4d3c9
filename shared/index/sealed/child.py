"""The process that builds segments. Started as ``python -m``; takes its job from stdin, and says what it built."""

import os
import signal
import sys
from pathlib import Path

import msgspec
import numpy as np

from shared.index.sealed.building import BuildJob, RowChunk, Source, read_frame
from shared.index.sealed.segment import SealedSegment
from shared.index.sealed.writing import write_segment
from shared.index.segment import Row
from shared.index.vectors import Codes, VectorFormat

_NICENESS = 10
"""Searches go first."""


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it reaches a whole group; whoever started the build ends it
    os.nice(_NICENESS)
    try:
        job = msgspec.msgpack.decode(read_frame(sys.stdin.buffer), type=BuildJob)
        rows, codes = _received()
    except EOFError:
        return
    parts = [_live_rows_of(source, Path(job.folder)) for source in job.sources]
    contents, all_codes = _in_order([*parts, (rows, codes)])
    description = write_segment(
        Path(job.folder),
        contents,
        all_codes,
        scheme=job.scheme,
        vector_format=VectorFormat(job.element, job.metric, job.codebook.unpacked() if job.codebook else None),
    )
    sys.stdout.buffer.write(msgspec.json.encode(description))


def _received() -> tuple[list[Row], Codes]:
    decoder = msgspec.msgpack.Decoder(RowChunk)
    rows: list[Row] = []
    codes = bytearray()
    while payload := read_frame(sys.stdin.buffer):
        chunk = decoder.decode(payload)
        rows += chunk.rows
        codes += chunk.codes
    return rows, np.frombuffer(codes, np.uint8).reshape(len(rows), -1 if rows else 0)


def _live_rows_of(source: Source, folder: Path) -> tuple[list[Row], Codes]:
    segment = SealedSegment.open(folder / source.description.name, source.description)
    live = np.unpackbits(np.frombuffer(source.live, np.uint8), count=source.description.rows)
    segment.set_live(live.astype(np.bool_))
    return segment.live_rows()


def _in_order(parts: list[tuple[list[Row], Codes]]) -> tuple[list[Row], Codes]:
    """All rows by ascending offset."""
    parts = [part for part in parts if part[0]]
    rows = [row for part, _ in parts for row in part]
    order = sorted(range(len(rows)), key=lambda number: rows[number].offset)
    return [rows[number] for number in order], np.concatenate([codes for _, codes in parts])[order]


if __name__ == "__main__":
    main()
