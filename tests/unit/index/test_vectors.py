import numpy as np
import pytest

from shared.index.vectors import VectorFormat


@pytest.mark.parametrize(("element", "width"), [("f32", 4), ("f16", 2), ("i8", 1)])
def test_a_format_reads_as_many_bytes_a_number_as_its_type_has(element: str, width: int) -> None:
    rows = np.zeros((3, 8), np.uint8)
    assert VectorFormat.named(element, "cos").view(rows).shape == (3, 8 // width)


@pytest.mark.parametrize(("element", "metric"), [("f64", "cos"), ("i8", "hamming"), ("", "")])
def test_an_unknown_format_is_refused_with_those_that_are_known(element: str, metric: str) -> None:
    with pytest.raises(ValueError, match=r"f32, f16, i8 by cos, l2sq"):
        VectorFormat.named(element, metric)


@pytest.mark.parametrize(("metric", "score"), [("cos", 0.75), ("l2sq", -0.25)])
def test_a_score_is_larger_the_nearer(metric: str, score: float) -> None:
    distances = np.array([0.25, 0.5], np.float32)
    scores = VectorFormat.named("f32", metric).scores(distances)
    assert scores[0] == pytest.approx(score)
    assert scores[0] > scores[1]
