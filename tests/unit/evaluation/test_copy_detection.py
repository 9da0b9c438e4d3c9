"""Copies search for their originals by their real bytes, and are judged as the literature does."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from shared.evaluation.copy_detection import Found, find_originals
from shared.index.vectors import VectorFormat

COSINE = VectorFormat("f32", "cos")


def bytes_of(vectors: list[list[float]]) -> np.ndarray:
    return np.array(vectors, np.float32).view(np.uint8)


def test_the_rank_of_each_original_is_told_and_what_stands_before_it() -> None:
    pictures = bytes_of([[1, 0], [0, 1], [1, 1]])
    copies = bytes_of([[1, 0.1], [0.5, 1], [0.6, 1]])
    found = find_originals(pictures, copies, [0, 1, 0], COSINE)
    assert found.ranks.tolist() == [1, 2, 3]
    assert found.nearest.tolist() == [[0, 2, 1], [2, 1, 0], [2, 1, 0]]
    assert found.recall_at_1.tolist() == [1, 0, 0]
    assert found.average_precision == pytest.approx([1, 1 / 2, 1 / 3])


def test_what_scores_alike_stands_in_the_order_of_the_rows() -> None:
    pictures = np.zeros((4, 8), np.uint8)
    found = find_originals(pictures, np.zeros((2, 8), np.uint8), [0, 3], VectorFormat("b1", "hamming"))
    assert found.ranks.tolist() == [1, 4]


def test_micro_average_precision_is_that_of_all_pairs_by_their_scores() -> None:
    """As scikit-learn has it, less the share of the originals that are not among the ten."""
    generator = np.random.default_rng(0)
    originals = generator.integers(0, 40, 200)
    nearest = np.array([generator.permutation(40)[:10] for _ in range(200)])
    nearest[:120, 0] = originals[:120]
    nearest[:120, 1:][nearest[:120, 1:] == originals[:120, None]] = 41
    right = nearest == originals[:, None]
    scores = np.round(generator.random((200, 10)) + 0.3 * right, 2).astype(np.float32)  # many are alike
    found = Found(ranks=np.ones(200, np.int64), nearest=nearest, scores=scores, originals=originals)
    share = right.any(axis=1).mean()
    expected = average_precision_score(right.ravel(), scores.ravel()) * share
    assert 0.1 < found.micro_average_precision == pytest.approx(expected)


def test_one_threshold_that_parts_copies_from_others_gives_the_best_micro_average_precision() -> None:
    pictures = bytes_of([[1, 0], [0, 1]])
    exact = find_originals(pictures, pictures, [0, 1], COSINE)
    assert exact.micro_average_precision == 1
    loose = find_originals(pictures, bytes_of([[1, 0], [1, 2]]), [0, 1], COSINE)
    assert loose.micro_average_precision == 1
    confused = find_originals(bytes_of([[1, 0], [0, 1], [1, 0.01]]), bytes_of([[1, 0.01], [1, 2]]), [0, 1], COSINE)
    assert confused.average_precision.tolist() == [0.5, 1]
    assert confused.micro_average_precision < confused.average_precision.mean()


def test_some_of_the_copies_can_be_looked_at_alone() -> None:
    found = find_originals(bytes_of([[1, 0], [0, 1]]), bytes_of([[1, 0], [1, 0]]), [0, 1], COSINE)
    assert found.of(np.array([True, False])).recall_at_1.tolist() == [1]
    assert found.of(np.array([False, True])).recall_at_1.tolist() == [0]
