"""Several queries become one: what is near all of them, and far from those whose weight is below 0."""

from collections.abc import Sequence

import numpy as np
import pytest

from shared.index.combining import NothingLeft, combine
from shared.index.ranking import rank_codes
from shared.index.vectors import VectorFormat
from tests.fakes.segments import clustered, codes_of

I8, F16, F32 = (VectorFormat.named(element, "cos") for element in ("i8", "f16", "f32"))
B1 = VectorFormat.named("b1", "hamming")
ROWS = 400


@pytest.mark.parametrize("vector_format", [I8, F16, F32], ids=str)
@pytest.mark.parametrize("weights", [[1, 1], [3, 1], [1, -0.5], [0.001, 0.002]])
def test_what_is_found_is_nearest_to_the_weighted_sum(vector_format: VectorFormat, weights: Sequence[float]) -> None:
    vectors = clustered(ROWS, 64)
    codes = codes_of(vectors, vector_format)
    query = combine([codes[3].tobytes(), codes[200].tobytes()], weights, vector_format)
    [ranking] = rank_codes(codes, np.frombuffer(query, np.uint8)[None], 20, vector_format, np.ones(ROWS, np.bool_))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    wanted = weights[0] * unit[3] + weights[1] * unit[200]
    cosines = unit @ (wanted / np.linalg.norm(wanted))
    assert ranking.scores == pytest.approx(cosines[ranking.rows], abs=0.02)
    assert ranking.scores[:10].tolist() == pytest.approx(np.sort(cosines)[::-1][:10].tolist(), abs=0.02)


def test_the_weights_scale_does_not_matter() -> None:
    codes = [code.tobytes() for code in codes_of(clustered(3, 32), I8)]
    assert combine(codes, [1, 2, -1], I8) == combine(codes, [10, 20, -10], I8)


def test_signs_are_voted_for() -> None:
    one, other, third = (np.packbits(bits).tobytes() for bits in ([1] * 8, [1, 1, 1, 1, 0, 0, 0, 0], [0] * 8))
    assert combine([one, other, third], [1, 1, 1], B1) == other
    assert combine([one, third], [1, -1], B1) == one


def test_examples_that_cancel_out_give_nothing_to_search_for() -> None:
    [code] = (code.tobytes() for code in codes_of(clustered(1, 32), I8))
    with pytest.raises(NothingLeft, match="cancel out"):
        combine([code, code], [1, -1], I8)
