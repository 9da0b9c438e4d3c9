"""The benchmark of queries runs on the real service, on next to nothing, and gives the figures that it promises."""

import math

import pytest

from benchmarks.queries.__main__ import HEADLINES, run
from benchmarks.queries.plan import quick


@pytest.mark.slow
def test_every_part_of_the_benchmark_of_queries_gives_its_ratios(capfd: pytest.CaptureFixture[str]) -> None:
    ratios = run(quick(threads=1))
    assert {*HEADLINES, "rtt_p50_over_bare_64", "qps_image_over_inprocess", "http_p50_over_bus_8"} <= ratios.keys()
    assert all(0 < ratio < math.inf for ratio in ratios.values())
    shown = capfd.readouterr().out
    assert all(f" {clients:>2} x query" in shown for clients in (1, 8, 64))
