"""What the first search needs is compiled by then."""

from pathlib import Path

import pytest

from shared.index.growing import GrowingSegment
from shared.index.kernels.scan import rank_all
from shared.index.kernels.traverse import search_graph
from shared.index.vectors import VectorFormat
from shared.index.warming import warm_up
from tests.fakes.segments import clustered, codes_of, found, row, sealed

KERNELS = (rank_all, search_graph)


@pytest.mark.parametrize(
    "vector_format", [VectorFormat("i8", "cos"), VectorFormat("f16", "cos"), VectorFormat("b1", "hamming")], ids=str
)
def test_a_search_after_warming_up_compiles_nothing(tmp_path: Path, vector_format: VectorFormat) -> None:
    warm_up(vector_format)
    compiled = [len(kernel.signatures) for kernel in KERNELS]  # type: ignore[attr-defined]
    codes = codes_of(clustered(6_000, 32), vector_format)
    rows = [row(number) for number in range(6_000)]
    growing = GrowingSegment(vector_format)
    for each, code in zip(rows[:10], codes, strict=False):
        growing.put(each, code.tobytes())
    segment = sealed(tmp_path, rows, codes, vector_format, expansion=16)
    for each in (growing, segment):
        assert len(found(each, codes[3], 5)) == 5
    assert [len(kernel.signatures) for kernel in KERNELS] == compiled  # type: ignore[attr-defined]
