"""The dashboard: readable, laid out, and about metrics that the workers really declare."""

import importlib
from itertools import combinations
from typing import Any

import pytest
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from tests.unit.deploy.dashboard import PanelQuery, dashboard, panels, queries
from tests.unit.deploy.files import GRAFANA, WORKERS, load, services

ADDED_BY_PROMETHEUS = {"instance", "job", "le"}
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}

every_panel = pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
every_query = pytest.mark.parametrize("query", queries(), ids=lambda query: f"{query.panel}: {query.legend}")


def declared() -> dict[str, set[str]]:
    """Every time series that the workers may export, with its labels."""
    registries = []
    for worker in WORKERS:
        registry = CollectorRegistry()
        metrics = importlib.import_module(f"services.{worker}.metrics")
        getattr(metrics, f"{worker.capitalize()}Metrics")(registry)
        registries.append(registry)
    bus = CollectorRegistry()
    KafkaPrometheusMiddleware(registry=bus)
    return {
        metric._name + suffix: set(metric._labelnames)
        for registry in (*registries, bus)
        for metric in registry._collector_to_names
        if isinstance(metric, MetricWrapperBase)
        for suffix in SUFFIXES[metric._type]
    }


DECLARED = declared()


@every_query
def test_a_query_names_declared_metrics_and_their_labels(query: PanelQuery) -> None:
    metrics = query.metrics()
    assert metrics
    assert metrics - DECLARED.keys() == set()
    assert query.labels() - ADDED_BY_PROMETHEUS - set.union(*(DECLARED[metric] for metric in metrics)) == set()


@every_query
def test_a_query_uses_variables_that_exist(query: PanelQuery) -> None:
    ours = {variable["name"]: "x" for variable in dashboard()["templating"]["list"]}
    assert "$" not in query.filled({**ours, "__rate_interval": "1m"})


@every_panel
def test_a_panel_says_what_it_shows_and_in_which_unit(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]


@every_panel
def test_a_panel_is_of_a_current_type_and_of_any_data_source(panel: dict[str, Any]) -> None:
    assert panel["type"] in {"stat", "timeseries"}
    assert {target["datasource"]["uid"] for target in panel["targets"]} | {panel["datasource"]["uid"]} == {
        "${datasource}"
    }


def test_panels_have_a_place_of_their_own() -> None:
    everything = dashboard()["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    for one, other in combinations([panel["gridPos"] for panel in everything], 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        ), f"{one} overlaps {other}"
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in everything)


def test_grafana_finds_it_where_compose_mounts_it() -> None:
    provider = load(GRAFANA / "provisioning" / "dashboards" / "afterimage.yml")["providers"][0]
    grafana = services()["grafana"]
    folder = provider["options"]["path"]
    assert f"./deploy/grafana/dashboards:{folder}:ro" in grafana["volumes"]
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == f"{folder}/afterimage.json"
