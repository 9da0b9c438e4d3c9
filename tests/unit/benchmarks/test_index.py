"""Every part of the benchmark of the index runs, on next to nothing, and its indexes are given the same to do."""

from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.index import applying, formats, graphs, peers, search
from benchmarks.index.__main__ import PARTS
from benchmarks.index.apart import Apart
from benchmarks.index.cache import Cache
from benchmarks.index.clustered import clustered
from benchmarks.index.engines import quantized
from benchmarks.index.plan import quick
from benchmarks.index.workload import K, exact_answers
from shared.codes.i8 import I8
from shared.index.sealed.graph import CONNECTIVITY
from shared.index.sealed.graph_building import EXPANSION_ADD

PLAN = replace(quick(), rows=[500], crops=0)
INSTALLED = ("afterimage", "usearch_i8_cos")
"""The others come with a dependency group of their own."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


def test_search_is_compared_at_each_recall_and_in_memory(cache: Cache) -> None:
    parts = list(search.measure(replace(PLAN, engines=INSTALLED), cache))
    ratios = {name: value for part in parts for name, value in part.ratios.items()}
    assert {"search_over_usearch_r95", "search_over_usearch_r99", "search_over_best_r95"} <= ratios.keys()
    assert all(value > 0 for value in ratios.values())


def test_applying_is_compared_with_inserting(cache: Cache) -> None:
    [part] = applying.measure(PLAN, cache, graphs=("usearch_i8_cos",))
    assert part.ratios["replica_apply_over_usearch_add"] > 1


@pytest.fixture(autouse=True)
def little_is_written_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """80,000 operations are for figures."""
    monkeypatch.setattr("benchmarks.index.ingesting._WRITTEN_BEFORE", 4_000)


@pytest.mark.parametrize("name", [name for name in PARTS if name not in {"search", "applying", "formats", "peers"}])
def test_a_part_runs_and_gives_ratios(name: str, cache: Cache) -> None:
    ratios = {key: value for part in _measured(name, cache) for key, value in part.ratios.items()}
    assert ratios
    assert all(np.isfinite(value) for value in ratios.values())
    assert ratios.get("filters_complete", 1) == 1
    assert ratios.get("churn_recall_min", 1) > 0.9


def test_bytes_are_told_on_disk_and_in_memory(cache: Cache) -> None:
    [part] = formats.measure(PLAN, cache, names=["i8", "pq4"])
    assert [row.name for row in part.rows] == [
        f"{code} {where}" for code in ("i8", "pq4") for where in ("on disk", "in memory, sealed", "in memory, growing")
    ]
    assert part.ratios["pq4_disk_over_code"] > part.ratios["i8_disk_over_code"] > 1


def test_the_databases_that_are_installed_are_compared(cache: Cache) -> None:
    names = {name: made for name, made in peers.DATABASES.items() if name == peers.OURS or find_spec(name)}
    parts = list(peers.measure(PLAN, cache, names=names))
    [built, churned] = [part for part in parts if "recall@10" in part.title]
    assert len(built.rows) == len(churned.rows) == len(names)
    assert all(f"search_over_{name}" in built.ratios for name in names if name != peers.OURS)


def test_all_graphs_have_the_parameters_of_the_service() -> None:
    assert (graphs.CONNECTIVITY, graphs.EXPANSION_ADD) == (CONNECTIVITY, EXPANSION_ADD)


def test_vectors_are_quantized_as_the_service_does() -> None:
    vectors = clustered(100, 32, seed=1)
    assert np.array_equal(quantized.for_cosine(vectors), I8().encode(torch.from_numpy(vectors)).numpy())


def test_the_exact_answer_is_that_of_comparing_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.index.workload._BLOCK", 64)
    base, queries = clustered(500, 16, seed=1), clustered(20, 16, seed=2)
    nearest = np.argsort(-(queries @ base.T), axis=1)[:, :K]
    assert np.array_equal(np.sort(exact_answers(base, queries)), np.sort(nearest))


def test_what_was_made_once_is_not_made_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    made: list[str] = []

    def make(folder: Path) -> None:
        made.append(folder.name)

    assert cache.folder("a", "recipe 1", make) == cache.folder("a", "recipe 1", make)
    assert cache.folder("a", "recipe 2", make) != cache.folder("a", "recipe 1", make)
    assert len(made) == 2


def test_an_error_in_a_child_is_raised_here() -> None:
    with Apart(dict) as child, pytest.raises(KeyError):
        child.call("__getitem__", "missing")


def _measured(name: str, cache: Cache) -> list:
    return list(import_module(f"benchmarks.index.{name}").measure(PLAN, cache))
