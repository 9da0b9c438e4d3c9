"""The measures agree with what one computes by hand, and with scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, ndcg_score

from shared.evaluation.metrics import average_precision, difference, judge, ndcg


def relevance(*rows: str) -> np.ndarray:
    return np.array([[letter == "x" for letter in row] for row in rows])


def test_average_precision_is_the_mean_precision_at_what_is_relevant() -> None:
    assert average_precision(relevance("x.x.", "...x", "xx..")) == pytest.approx([(1 + 2 / 3) / 2, 1 / 4, 1])


def test_ndcg_discounts_by_rank_and_compares_with_the_ideal_order() -> None:
    ideal = 1 + 1 / np.log2(3)
    assert ndcg(relevance("x.x.", "xx..", "...x"), 3) == pytest.approx([1.5 / ideal, 1, 0])


def test_a_hit_at_k_is_one_that_is_relevant_among_the_first_k() -> None:
    quality = judge(relevance(".x..........", "..........x.", "x..........."))
    assert {k: hits.tolist() for k, hits in quality.hit_at.items()} == {1: [0, 0, 1], 5: [1, 0, 1], 10: [1, 0, 1]}


def test_measures_agree_with_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    found = generator.random((50, 40)) < generator.uniform(0.05, 0.9, (50, 1))
    found[:, 7] = True
    scores = -np.arange(40.0)
    assert average_precision(found) == pytest.approx([average_precision_score(row, scores) for row in found])
    assert ndcg(found, 10) == pytest.approx([ndcg_score([row], [scores], k=10) for row in found])


def test_what_has_nothing_relevant_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing is relevant"):
        judge(relevance("x.", ".."))


def test_noise_is_not_claimed_to_be_a_difference() -> None:
    generator = np.random.default_rng(1)
    one = generator.random(200)
    same = difference(one, one + generator.normal(0, 0.1, 200), seed=0)
    assert same.low < 0 < same.high
    assert "cannot be told from" in same.sentence("a", "b")
    assert "a is worse than b" in difference(one, one + 0.1, seed=0).sentence("a", "b")
    assert "b is better than a" in difference(one + 0.1, one, seed=0).sentence("b", "a")
