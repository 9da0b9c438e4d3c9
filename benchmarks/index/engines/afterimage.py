"""A shard of ours that was compacted into one sealed segment."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.index.engines import quantized
from benchmarks.index.engines.engine import EFFORTS, Label
from benchmarks.index.rows import SCHEME, row_of
from benchmarks.index.workload import RowNumbers, Vectors
from shared.index.contents import SealedPart, ShardContents
from shared.index.query import Query
from shared.index.sealed.description import SegmentDescription
from shared.index.sealed.segment import SealedSegment
from shared.index.sealed.writing import write_segment
from shared.index.shard import Shard
from shared.index.vectors import ElementType, VectorFormat
from shared.index.warming import warm_up

_DESCRIPTION = "description.json"
_NO_CHECKSUM = "0" * 32


class Afterimage:
    """An Engine, by cosine; i8 is the service's default code. It returns whole rows, with ids and attributes."""

    efforts = EFFORTS

    def __init__(self, element: ElementType = "i8") -> None:
        note = "walks over bytes, ranks by f16" if element == "f16" else ""
        self.label = Label(f"afterimage_{element}", f"afterimage {element} cos", note)
        self._format = VectorFormat(element, "cos")

    def build(self, vectors: Vectors, folder: Path) -> None:
        codes = quantized.codes_of(vectors, self._format)
        description = write_segment(
            folder, [row_of(n) for n in range(len(codes))], codes, scheme=SCHEME, vector_format=self._format
        )
        (folder / _DESCRIPTION).write_bytes(msgspec.json.encode(description))

    def open(self, folder: Path) -> None:
        warm_up(self._format)
        self._folder = folder
        self._description = description_in(folder)
        self.shard = shard_of(
            [SealedSegment.open(folder / self._description.name, self._description)], self._description.vector_format
        )

    def tune(self, effort: int) -> None:
        segment = SealedSegment(self._folder / self._description.name, self._description, expansion=effort)
        self.shard = shard_of([segment], segment.description.vector_format)

    def form(self, queries: Vectors) -> list[bytes]:
        return [code.tobytes() for code in quantized.codes_of(queries, self._format)]

    def nearest(self, query: bytes, k: int) -> RowNumbers:
        return np.array([int(match.row.id) for match in self.shard.search(query, k)])

    def nearest_all(self, queries: Sequence[bytes], k: int) -> RowNumbers:
        found = self.shard.search_all([Query(code=query, k=k) for query in queries])
        return np.array([[int(match.row.id) for match in matches] for matches in found])


def description_in(folder: Path) -> SegmentDescription:
    """That of the segment that was built in a folder."""
    return msgspec.json.decode((folder / _DESCRIPTION).read_bytes(), type=SegmentDescription)


def shard_of(segments: Iterable[SealedSegment], vector_format: VectorFormat) -> Shard:
    """A shard that consists of these segments, all of whose rows are live."""
    opened = {segment.name: segment for segment in segments}
    contents = ShardContents(
        position=max(segment.description.last_offset for segment in opened.values()),
        scheme=SCHEME,
        code_bytes=next(iter(opened.values())).description.code_bytes,
        checksum=_NO_CHECKSUM,
        deleted=[],
        sealed={
            name: SealedPart(description=segment.description, live=segment.live) for name, segment in opened.items()
        },
        rows=[],
        codes=np.empty((0, 0), np.uint8),
    )
    return Shard.restored(contents, opened.values(), vector_format)
