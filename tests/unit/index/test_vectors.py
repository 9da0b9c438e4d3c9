import numpy as np
import pytest

from shared.index.vectors import VectorFormat


@pytest.mark.parametrize(("element", "width"), [("f32", 4), ("f16", 2), ("i8", 1)])
def test_a_format_reads_as_many_bytes_a_number_as_its_type_has(element: str, width: int) -> None:
    rows = np.zeros((3, 8), np.uint8)
    assert VectorFormat.named(element, "cos").view(rows).shape == (3, 8 // width)


@pytest.mark.parametrize(("element", "metric"), [("f64", "cos"), ("i8", "hamming"), ("b1", "cos"), ("", "")])
def test_an_unknown_format_is_refused_with_those_that_are_known(element: str, metric: str) -> None:
    with pytest.raises(ValueError, match="f32, f16 and i8 by cos or l2sq, b1 by hamming, pq and vq by cos"):
        VectorFormat.named(element, metric)
