"""Comparing int8 codes: exact, by whatever instructions the processor has for it."""

import json
import os
import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest

from shared.index.ranking import rank_codes
from shared.index.vectors import VectorFormat

Numbers = npt.NDArray[np.int8]

ROWS = 20
_ELSEWHERE = """
import json, sys
import numpy as np
from shared.index.kernels import byte_products
from tests.unit.index.kernels.test_comparing import drawn, scores_of
assert not byte_products.available()
print(json.dumps(scores_of(drawn(int(sys.argv[1])), sys.argv[2]).tolist()))
"""


def drawn(dimensions: int) -> Numbers:
    """Rows of all numbers that there are, one of the least and one of the greatest only."""
    rows = np.random.default_rng(dimensions).integers(-128, 128, (ROWS, dimensions), dtype=np.int8)
    rows[0], rows[1] = -128, 127
    return rows


def scores_of(rows: Numbers, metric: str) -> npt.NDArray[np.float32]:
    """Of each row as a query, with all rows, in their order: float32 (rows, rows)."""
    codes = rows.view(np.uint8)
    rankings = rank_codes(codes, codes, len(rows), VectorFormat.named("i8", metric), np.ones(len(rows), np.bool_))
    return np.stack([ranking.scores[np.argsort(ranking.rows)] for ranking in rankings])


@pytest.mark.parametrize("dimensions", [1, 3, 63, 64, 65, 127, 128, 129, 191, 192, 200, 256, 1280, 1337])
def test_every_length_is_compared_to_its_end_and_no_further(dimensions: int) -> None:
    rows = drawn(dimensions)
    numbers = rows.astype(np.int64)
    products = numbers @ numbers.T
    squares = np.diag(products)
    np.testing.assert_array_equal(
        scores_of(rows, "l2sq"), (2 * products - squares[:, None] - squares[None]).astype(np.float32)
    )
    # A row of zeros only would have no direction: its cosine is 0, and so is the product.
    lengths = np.sqrt(np.maximum(np.outer(squares, squares), 1).astype(np.float64))
    np.testing.assert_allclose(scores_of(rows, "cos"), products / lengths, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("metric", ["cos", "l2sq"])
def test_a_processor_without_the_instruction_scores_the_same(metric: str) -> None:
    """The copies of a shard rank alike, wherever they run."""
    child = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, "200", metric],
        env=os.environ | {"NUMBA_CPU_NAME": "generic"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    np.testing.assert_array_equal(np.array(json.loads(child.stdout), np.float32), scores_of(drawn(200), metric))
