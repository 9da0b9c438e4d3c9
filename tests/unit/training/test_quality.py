"""The measures by which an epoch is judged."""

import pytest
import torch
from sklearn.metrics import average_precision_score

from shared.training.quality import among_classes, of_views


def test_average_precision_is_that_of_scikit_learn_averaged_over_classes() -> None:
    random = torch.Generator().manual_seed(1)
    vectors, labels = torch.randn(30, 5, generator=random), torch.arange(30) % 3
    labels[:4] = 0  # classes of several sizes
    unit = torch.nn.functional.normalize(vectors.double())
    similarity = unit @ unit.T
    scores: dict[int, list[float]] = {}
    for row in range(30):
        others = torch.arange(30) != row
        relevant = (labels == labels[row])[others].numpy()
        score = average_precision_score(relevant, similarity[row][others].numpy())
        scores.setdefault(int(labels[row]), []).append(score)
    expected = sum(sum(of_class) / len(of_class) for of_class in scores.values()) / len(scores)
    assert among_classes(vectors, labels).mean_average_precision == pytest.approx(expected)


def test_a_picture_with_no_other_of_its_class_is_no_query() -> None:
    vectors = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    found = among_classes(vectors, torch.tensor([0, 0, 1]))
    assert (found.recall_at_1, found.mean_average_precision) == (1.0, 1.0)


def test_a_view_should_find_its_own_picture() -> None:
    vectors = torch.eye(3)
    found = of_views(vectors, vectors[[0, 2, 1]] + 0.1 * vectors)
    assert found.recall_at_1 == pytest.approx(1 / 3)
    assert found.mean_average_precision == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
