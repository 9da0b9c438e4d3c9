"""Writing a sealed segment: beside its place first, durably, and then into it: it is there whole, or not at all."""

import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp

from shared.index.sealed import fields, ids, rows
from shared.index.sealed.description import SegmentDescription, describe_file, segment_name
from shared.index.sealed.graph_building import write_graph
from shared.index.segment import Row
from shared.index.vectors import Codes, VectorFormat

UNFINISHED = ".unfinished-"
"""How the names of folders begin that are not in their places yet. Whoever finds one at a start may remove it."""


def write_segment(
    folder: Path, contents: Sequence[Row], codes: Codes, *, scheme: str, vector_format: VectorFormat
) -> SegmentDescription:
    """Write a segment to a folder of its own, named for it, in `folder`. Takes a core for long.

    contents: at least one row, no two of one id, by ascending offset. codes: theirs. Raises OSError, and leaves nothing
    behind then.
    """
    beside = Path(mkdtemp(prefix=UNFINISHED, dir=folder))
    try:
        write_graph(beside, codes, vector_format)
        rows.write_rows(beside / rows.FILE, contents)
        ids.write_ids(beside / ids.FILE, [row.id for row in contents])
        fields.write_fields(beside / fields.FILE, contents)
        files = {path.name: describe_file(path) for path in sorted(beside.iterdir())}
        description = SegmentDescription(
            name=segment_name(files),
            rows=len(contents),
            scheme=scheme,
            element=vector_format.element,
            metric=vector_format.metric,
            code_bytes=codes.shape[1],
            first_offset=contents[0].offset,
            last_offset=contents[-1].offset,
            files=files,
        )
        put_in_place(beside, folder / description.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return description


def put_in_place(beside: Path, place: Path) -> None:
    """Make the files of a folder durable, and give it its name. One that is there already holds the same, and stays."""
    for path in [*beside.iterdir(), beside]:
        _sync(path)
    if not place.exists():
        beside.rename(place)
        _sync(place.parent)


def put_durably(place: Path, content: Path | bytes) -> None:
    """Write a file, so that it is there whole or not at all. content: a file to copy, or bytes. Raises OSError."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.parent / f"{UNFINISHED}{uuid.uuid4().hex}"
    try:
        if isinstance(content, bytes):
            beside.write_bytes(content)
        else:
            shutil.copyfile(content, beside)
        _sync(beside)
        beside.rename(place)
    finally:
        beside.unlink(missing_ok=True)
    _sync(place.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
