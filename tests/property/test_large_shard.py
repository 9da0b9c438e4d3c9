"""A shard of thousands of rows against the cosine as it is defined."""

import numpy as np
import numpy.typing as npt
import pytest

from shared.index.filters.syntax import parse_filter
from shared.index.shard import Shard
from tests.fakes.operations import delete, upsert


def vectors(rows: int, seed: int) -> npt.NDArray[np.int8]:
    return np.random.default_rng(seed).integers(-127, 128, (rows, 32), dtype=np.int8)


def test_a_large_shard_finds_what_the_cosine_says() -> None:
    """More rows than the segment's first capacity, and more than one block of the exact search."""
    rows, query = vectors(5000, 1), vectors(1, 2)[0]
    shard = Shard()
    shard.apply([upsert(n, f"{n:04}", of=row.tobytes()) for n, row in enumerate(rows)], position=4999)
    exact = rows.astype(float) @ query / (np.linalg.norm(rows.astype(float), axis=1) * np.linalg.norm(query))
    found = shard.search(query.tobytes(), 10)
    assert [match.row.id for match in found] == [f"{n:04}" for n in np.argsort(-exact)[:10]]


@pytest.mark.parametrize("every", [1, 2, 5, 100, 2500])
def test_a_filter_is_answered_completely_at_every_selectivity(every: int) -> None:
    """Between all rows and two of them, after a third of the rows was replaced and a tenth deleted."""
    rows, query = vectors(5000, 1), vectors(1, 2)[0]
    shard = Shard()
    puts = [upsert(n, str(n), of=row.tobytes(), attributes={"in": n % every == 0}) for n, row in enumerate(rows)]
    again = [
        upsert(5000 + n, str(n), of=rows[(n + 1) % 5000].tobytes(), attributes={"in": n % every == 0})
        for n in range(0, 5000, 3)
    ]
    gone = [delete(10_000 + n, str(n)) for n in range(1, 5000, 10)]
    shard.apply([*puts, *again, *gone], position=15_000)
    everything = shard.search(query.tobytes(), 5000)
    assert len(everything) == len(shard) == 4500
    condition = parse_filter({"in": True})
    for k in (1, 10, 1000):
        found = shard.search(query.tobytes(), k, condition=condition)
        assert found == [match for match in everything if match.row.attributes["in"]][:k]
