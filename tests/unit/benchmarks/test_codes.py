"""The benchmark of the codes: both sides are given the same to do, and the ratios say which way they go."""

from pathlib import Path

import pytest

from benchmarks.codes import ours, plain_faiss, report
from benchmarks.codes.plan import Fit
from benchmarks.index.apart import Apart, apart
from benchmarks.index.clustered import clustered
from benchmarks.index.workload import RowNumbers, Workload, save

LEARNED = clustered(600, 160, seed=1)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("searched")
    save(folder, clustered(500, 160, seed=2), clustered(20, 160, seed=3))
    return folder


Measured = tuple[dict[str, Fit], dict[str, Fit], RowNumbers]


@pytest.fixture(scope="module")
def measured(searched: Path) -> Measured:
    with Apart(ours.Ours, LEARNED, searched, 1) as child:
        found = {recipe: child.call("measure", recipe, 2) for recipe in ("i8", "pq80", "pq80+f16", "b1")}
        by_default = child.call("found_by_default")
    return found, {"pq80": apart(plain_faiss.measure, "pq80", LEARNED, searched, 2, 1)}, by_default


def test_recall_is_told_of_every_code_and_what_the_goals_are_about(searched: Path, measured: Measured) -> None:
    part = report.recalls("", Workload.load(searched), *measured)
    recalls = {row.name: row.p50 for row in part.rows}
    assert recalls.keys() == {"i8, the default code", "i8", "pq80", "pq80 by faiss", "pq80+f16", "b1"}
    assert recalls["b1"] < recalls["pq80"] <= recalls["pq80+f16"] <= 100
    assert part.ratios["recall_lost_by_i8"] == pytest.approx(1 - recalls["i8, the default code"] / 100)


def test_codewords_are_told_to_lose_as_much_as_those_of_faiss(
    measured: Measured,
) -> None:
    part = report.distortions("", *measured[:2])
    assert part.ratios["distortion_over_faiss_pq80"] == pytest.approx(1, abs=0.1)
    assert "b1" not in {row.name for row in part.rows}  # signs stand for no vector


def test_speeds_are_ours_divided_by_those_of_faiss(measured: Measured) -> None:
    found, by_faiss, _ = measured
    fits, encodings = report.fits("", found, by_faiss), report.encodings("", found, by_faiss)
    assert fits.ratios["fit_speed_over_faiss_pq80"] == pytest.approx(by_faiss["pq80"].fit_s / found["pq80"].fit_s)
    assert encodings.ratios["encode_speed_over_faiss_pq80"] > 0
