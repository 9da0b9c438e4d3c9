"""Rows and codes for sealed segments, and segments made of them in no time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.events.images import Attributes, SourcePosition
from shared.index.codebook import WORDS, Codebook
from shared.index.filters.condition import Condition
from shared.index.sealed.description import SegmentDescription
from shared.index.sealed.segment import SealedSegment
from shared.index.sealed.writing import write_segment
from shared.index.segment import Match, Row, Segment
from shared.index.vectors import VectorFormat
from tests.fakes.operations import SCHEME


def row(number: int, attributes: Attributes | None = None) -> Row:
    """The row that the operation at offset `number` put, its id `number` as text."""
    return Row(
        id=str(number),
        offset=number,
        source=SourcePosition(offset=10 * number, partition=number % 3),
        uploaded_at=1_000 + number,
        occurred_at=None if number % 2 else 500 + number,
        uri=None if number % 5 else f"file:///{number}",
        attributes={"number": number, "tags": ["a", None, 1.5]} if attributes is None else attributes,
    )


def clustered(rows: int, dimensions: int, *, seed: int = 0) -> npt.NDArray[np.float32]:
    """Vectors as encoders give them: in clusters, of unit length."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(1, rows // 100), dimensions))
    vectors = centres[rng.integers(len(centres), size=rows)] + 0.5 * rng.normal(size=(rows, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def codes_of(vectors: npt.NDArray[np.float32], vector_format: VectorFormat) -> npt.NDArray[np.uint8]:
    """uint8, (rows, bytes per code)"""
    if vector_format.quantizes and vector_format.codebook:
        return vector_format.codebook.codes_of(vectors)
    if vector_format.element == "b1":
        return np.packbits(vectors > 0, axis=1)
    if vector_format.element == "i8":
        vectors = np.round(vectors / np.abs(vectors).max(axis=1, keepdims=True) * 127)
    return np.ascontiguousarray(vectors.astype(vector_format.dtype)).view(np.uint8)


def queries_of(vectors: npt.NDArray[np.float32], vector_format: VectorFormat) -> npt.NDArray[np.uint8]:
    """uint8, (rows, bytes per query)"""
    if vector_format.quantizes:
        return np.ascontiguousarray(vectors).view(np.uint8)
    return codes_of(vectors, vector_format)


def codebook(vectors: npt.NDArray[np.float32], places: int, *, residual: bool) -> Codebook:
    """Codewords drawn from vectors: far from the best, and good enough to find things by."""
    drawn = np.random.default_rng(1).permutation(len(vectors))
    if not residual:
        words = vectors[drawn[:WORDS]].reshape(WORDS, places, -1).transpose(1, 0, 2)
        return Codebook(words=np.ascontiguousarray(words), residual=False)
    levels: list[npt.NDArray[np.float32]] = []
    left = vectors[drawn]
    for _ in range(places):
        levels.append(left[:WORDS].copy())
        left = np.roll(left, -WORDS, axis=0)
        left = left - levels[-1][(left @ levels[-1].T - np.square(levels[-1]).sum(axis=1) / 2).argmax(axis=1)]
    return Codebook(words=np.stack(levels), residual=True)


def write(
    folder: Path, rows: Sequence[Row], codes: npt.NDArray[np.uint8], vector_format: VectorFormat | None = None
) -> SegmentDescription:
    return write_segment(folder, rows, codes, scheme=SCHEME, vector_format=vector_format or VectorFormat())


def sealed(
    folder: Path,
    rows: Sequence[Row],
    codes: npt.NDArray[np.uint8],
    vector_format: VectorFormat | None = None,
    *,
    expansion: int = 96,
) -> SealedSegment:
    description = write(folder, rows, codes, vector_format)
    return SealedSegment.open(folder / description.name, description, expansion=expansion)


def found(
    segment: Segment, query: npt.NDArray[np.uint8], k: int, condition: Condition | None = None, *, exact: bool = False
) -> list[Match]:
    """The `k` nearest rows of a segment to one query, best first."""
    [ranking] = segment.nearest(query[np.newaxis], k, condition, exact=exact)
    nearest = zip(ranking.scores[:k].tolist(), ranking.rows[:k].tolist(), strict=True)
    return [Match(score, segment.row_at(number)) for score, number in nearest]


def row_in(segment: Segment, image_id: str) -> Row:
    return segment.row_at(number_in(segment, image_id))


def code_in(segment: Segment, image_id: str) -> bytes:
    return segment.code_at(number_in(segment, image_id))


def remove_from(segment: Segment, image_id: str) -> None:
    segment.remove_at(number_in(segment, image_id))


def number_in(segment: Segment, image_id: str) -> int:
    number = segment.find(image_id)
    assert number is not None, f"no row is {image_id}"
    return number
