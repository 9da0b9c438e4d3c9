"""Codewords stand for vectors, and what is looked up makes their cosine with a query."""

import numpy as np
import pytest

from shared.index.codebook import Codebook
from shared.index.ranking import rank_codes
from shared.index.vectors import VectorFormat
from tests.fakes.segments import clustered, codebook, queries_of

VECTORS = clustered(600, 24)
CODEBOOKS = [codebook(VECTORS, 8, residual=False), codebook(VECTORS, 3, residual=True)]


@pytest.mark.parametrize("words", CODEBOOKS, ids=["product", "residual"])
def test_a_score_is_the_cosine_with_the_vector_that_the_codewords_stand_for(words: Codebook) -> None:
    vector_format = VectorFormat("vq" if words.residual else "pq", "cos", words)
    codes = words.codes_of(VECTORS)
    queries = 3 * VECTORS[:5]
    stand_for = words.vectors_of(codes)
    defined = VECTORS[:5] @ stand_for.T / np.linalg.norm(stand_for, axis=1)
    rankings = rank_codes(codes, queries_of(queries, vector_format), 600, vector_format, np.ones(600, np.bool_))
    for ranking, scores in zip(rankings, defined, strict=True):
        assert np.allclose(ranking.scores, scores[ranking.rows], atol=1e-6)
        assert sorted(ranking.rows.tolist()) == list(range(600))


@pytest.mark.parametrize("words", CODEBOOKS, ids=["product", "residual"])
def test_each_vector_gets_the_nearest_codewords_in_turn(words: Codebook) -> None:
    codes = words.codes_of(VECTORS[:50])
    for vector, code in zip(VECTORS[:50], codes, strict=True):
        left = vector.copy()
        for place, of_place in enumerate(words.words):
            part = left if words.residual else vector[place * 3 : place * 3 + 3]
            assert code[place] == np.square(of_place - part).sum(axis=1).argmin()
            left -= of_place[code[place]] if words.residual else 0


def test_a_query_for_what_is_like_a_stored_code_is_the_vector_that_it_stands_for() -> None:
    words = CODEBOOKS[0]
    code = words.codes_of(VECTORS[:1])
    query = VectorFormat("pq", "cos", words).query_of(code.tobytes())
    assert np.frombuffer(query, np.float32).tolist() == words.vectors_of(code)[0].tolist()


@pytest.mark.parametrize("words", CODEBOOKS, ids=["product", "residual"])
def test_codewords_that_stand_for_nothing_score_zero(words: Codebook) -> None:
    nothing = Codebook(words=np.zeros_like(words.words), residual=words.residual)
    vector_format = VectorFormat("vq" if words.residual else "pq", "cos", nothing)
    codes = np.zeros((2, words.places), np.uint8)
    [ranking] = rank_codes(codes, queries_of(VECTORS[:1], vector_format), 2, vector_format, np.ones(2, np.bool_))
    assert ranking.scores.tolist() == [0, 0]


def test_what_is_no_codebook_is_refused() -> None:
    with pytest.raises(ValueError, match=r"codewords are float32 \(places, 256, length\), not float32 \(3, 255, 4\)"):
        Codebook(words=np.zeros((3, 255, 4), np.float32), residual=False)
