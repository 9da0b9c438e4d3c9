"""Scores are what they are defined to be, and the same in whatever company two codes are compared."""

import numpy as np
import numpy.typing as npt
import pytest

from shared.index.ranking import rank_codes
from shared.index.vectors import VectorFormat
from tests.fakes.segments import clustered, codes_of

FORMATS = [
    VectorFormat.named(element, metric)
    for element, metric in [
        ("i8", "cos"),
        ("i8", "l2sq"),
        ("f16", "cos"),
        ("f16", "l2sq"),
        ("f32", "cos"),
        ("f32", "l2sq"),
        ("b1", "hamming"),
    ]
]
DIMENSIONS = [8, 104, 264]
"""Fewer than a register holds, a few registers and a rest, and more."""
ROWS = 300
EVERY = np.ones(ROWS, np.bool_)


def defined(codes: npt.NDArray[np.uint8], query: npt.NDArray[np.uint8], vector_format: VectorFormat) -> list[float]:
    if vector_format.metric == "hamming":
        return (-np.unpackbits(codes ^ query, axis=1).sum(axis=1, dtype=np.int64)).tolist()
    vectors = vector_format.view(codes).astype(np.float64)
    of_query = vector_format.view(query[np.newaxis])[0].astype(np.float64)
    if vector_format.metric == "l2sq":
        return (-np.square(vectors - of_query).sum(axis=1)).tolist()
    return (vectors @ of_query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(of_query)).tolist()


@pytest.mark.parametrize("dimensions", DIMENSIONS)
@pytest.mark.parametrize("vector_format", FORMATS, ids=str)
def test_a_score_is_what_it_is_defined_to_be(vector_format: VectorFormat, dimensions: int) -> None:
    codes = codes_of(clustered(ROWS, dimensions), vector_format)
    [ranking] = rank_codes(codes, codes[7:8], ROWS, vector_format, EVERY)
    expected = np.array(defined(codes, codes[7], vector_format))
    assert ranking.scores.tolist() == pytest.approx(expected[ranking.rows].tolist(), rel=1e-5, abs=1e-5)
    assert (np.diff(ranking.scores) <= 0).all()
    assert sorted(ranking.rows.tolist()) == list(range(ROWS))


@pytest.mark.parametrize("dimensions", DIMENSIONS)
@pytest.mark.parametrize("vector_format", FORMATS, ids=str)
def test_two_codes_score_the_same_alone_and_in_a_batch(vector_format: VectorFormat, dimensions: int) -> None:
    codes = codes_of(clustered(ROWS, dimensions), vector_format)
    batch = rank_codes(codes, codes[:20], ROWS, vector_format, EVERY)
    for number, of_batch in enumerate(batch):
        [alone] = rank_codes(codes, codes[number : number + 1], ROWS, vector_format, EVERY)
        assert alone.scores.tolist() == of_batch.scores.tolist()


def test_only_what_is_allowed_is_ranked_and_fewer_only_where_there_are_fewer() -> None:
    codes = codes_of(clustered(ROWS, 16), VectorFormat())
    allowed = np.zeros(ROWS, np.bool_)
    allowed[[3, 50, 299]] = True
    [ranking] = rank_codes(codes, codes[:1], 10, VectorFormat(), allowed)
    assert sorted(ranking.rows.tolist()) == [3, 50, 299]


@pytest.mark.parametrize("equals", [1, 2, 50, 300])
def test_whatever_scores_like_the_last_that_is_wanted_comes_with_it(equals: int) -> None:
    codes = codes_of(clustered(ROWS, 16), VectorFormat())
    codes[:equals] = codes[0]
    rankings = rank_codes(codes, codes[[200, 0, 250]], 1, VectorFormat(), EVERY)
    assert rankings[1].rows.tolist() == list(range(equals))


def test_a_zero_vector_is_like_nothing() -> None:
    codes = np.zeros((2, 8), np.uint8)
    codes[1] = 5
    [ranking] = rank_codes(codes, codes[:1], 2, VectorFormat(), np.ones(2, np.bool_))
    assert ranking.scores.tolist() == [0.0, 0.0]
