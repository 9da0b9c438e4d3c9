"""A sealed segment says what was sealed, and finds what the exact search finds."""

from pathlib import Path

import numpy as np
import pytest

from shared.index.filters.condition import matches
from shared.index.filters.syntax import parse_filter
from shared.index.growing import GrowingSegment
from shared.index.sealed.graph_building import EXPANSION_ADD
from shared.index.sealed.segment import SealedSegment
from shared.index.vectors import VectorFormat
from tests.fakes.segments import (
    clustered,
    code_in,
    codebook,
    codes_of,
    found,
    queries_of,
    remove_from,
    row,
    row_in,
    sealed,
    write,
)

FORMATS = [
    VectorFormat("i8", "cos"),
    VectorFormat("i8", "l2sq"),
    VectorFormat("f16", "cos"),
    VectorFormat("f16", "l2sq"),
    VectorFormat("f32", "cos"),
    VectorFormat("f32", "l2sq"),
    VectorFormat("b1", "hamming"),
]
ROWS = 6_000
QUERIES = 25
VECTORS = clustered(ROWS + QUERIES, 32)
CODEBOOKS = [
    VectorFormat("pq", "cos", codebook(VECTORS, 16, residual=False)),
    VectorFormat("vq", "cos", codebook(VECTORS, 4, residual=True)),
    VectorFormat("f16", "cos", codebook(VECTORS, 16, residual=False)),
    VectorFormat("f16", "cos", codebook(VECTORS, 4, residual=True)),
]


@pytest.fixture(scope="module", params=[*FORMATS, *CODEBOOKS], ids=str)
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[SealedSegment, GrowingSegment]:
    """The same rows sealed and growing: so many that the sealed ones are searched in the graph."""
    codes = codes_of(VECTORS[:ROWS], request.param)
    rows = [row(number, {"tenth": number % 10 == 0, "rare": number % 1_000 == 0}) for number in range(ROWS)]
    growing = GrowingSegment(request.param)
    for each, code in zip(rows, codes, strict=True):
        growing.put(each, code.tobytes())
    return sealed(tmp_path_factory.mktemp("segments"), rows, codes, request.param, expansion=64), growing


def test_it_says_of_each_row_what_was_sealed(both: tuple[SealedSegment, GrowingSegment]) -> None:
    segment, growing = both
    assert len(segment) == ROWS
    for number in range(0, ROWS, 97):
        assert segment.find(str(number)) is not None
        assert row_in(segment, str(number)) == row_in(growing, str(number))
        assert code_in(segment, str(number)) == code_in(growing, str(number))
    assert segment.find("6000") is None
    assert segment.find("nobody") is None


@pytest.mark.parametrize("filter_", [None, {"tenth": False}, {"tenth": True}, {"rare": True}])
def test_the_graph_finds_what_the_exact_search_finds_and_scores_it_the_same(
    both: tuple[SealedSegment, GrowingSegment], filter_: object
) -> None:
    segment, growing = both
    condition = None if filter_ is None else parse_filter(filter_)
    queries = queries_of(VECTORS[ROWS:], segment.description.vector_format)
    hits = 0
    for query in queries:
        exact, approximate = found(growing, query, 10, condition), found(segment, query, 10, condition)
        assert len(approximate) == len(exact)
        assert all(condition is None or matches(condition, match.row) for match in approximate)
        [ranking] = growing.nearest(query[np.newaxis], ROWS)
        scores = dict(zip(ranking.rows.tolist(), ranking.scores.tolist(), strict=True))
        assert all(match.score == scores[growing.find(match.row.id)] for match in approximate)
        hits += sum(match.score >= exact[-1].score for match in approximate)
        assert found(segment, query, 10, condition, exact=True) == exact
    assert hits >= 0.98 * len(exact) * QUERIES


def test_a_dead_row_is_not_found_and_its_place_is_filled(tmp_path: Path) -> None:
    codes = codes_of(clustered(ROWS, 16), VectorFormat())
    segment = sealed(tmp_path, [row(number) for number in range(ROWS)], codes, expansion=16)
    query = codes[0]
    nearest = [match.row.id for match in found(segment, query, 1_000)]
    for image_id in nearest[:900]:
        remove_from(segment, image_id)
    assert len(segment) == ROWS - 900
    assert segment.find(nearest[0]) is None
    left = [match.row.id for match in found(segment, query, 50)]
    assert len(left) == 50
    assert not set(left) & set(nearest[:900])


def test_every_row_can_be_found_at_once(tmp_path: Path) -> None:
    codes = codes_of(clustered(300, 16), VectorFormat())
    segment = sealed(tmp_path, [row(number) for number in range(300)], codes)
    assert {match.row.id for match in found(segment, codes[0], 1_000)} == {str(number) for number in range(300)}


def test_the_same_rows_make_the_same_files(tmp_path: Path) -> None:
    rows = [row(number) for number in range(500)]
    codes = codes_of(clustered(500, 16), VectorFormat())
    assert write(tmp_path, rows, codes) == write(tmp_path, rows, codes)
    assert len(list(tmp_path.iterdir())) == 1


def test_what_scores_like_the_last_that_is_wanted_comes_with_it(tmp_path: Path) -> None:
    codes = np.repeat(codes_of(clustered(1, 16), VectorFormat()), EXPANSION_ADD, axis=0)
    segment = sealed(tmp_path, [row(number) for number in range(EXPANSION_ADD)], codes)
    [ranking] = segment.nearest(codes[:1], 1)
    assert set(ranking.scores.tolist()) == {ranking.scores[0]}
    assert sorted(ranking.rows.tolist()) == list(range(EXPANSION_ADD))
