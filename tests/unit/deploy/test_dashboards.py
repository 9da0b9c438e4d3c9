"""The dashboards: as their code makes them, readable, laid out, and about metrics that the workers really declare."""

import importlib
import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from deploy.grafana.source.alerts import limits
from deploy.grafana.source.generate import dashboards
from tests.unit.deploy.dashboards import FOLDER, DashboardQuery, boards, panels, queries, recorded, variables
from tests.unit.deploy.files import GRAFANA, RULES, WORKERS, load, services
from tests.unit.deploy.promtool import promtool

OF_EVERY_PROCESS = {
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "up",
    "ALERTS",
}
ADDED_BY_PROMETHEUS = {"instance", "job", "le", "alertstate"}
STEP = {"__rate_interval": "1m"}
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}

GENERATED = dict(dashboards())
BOARDS = boards()
every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
every_panel = pytest.mark.parametrize(
    "panel",
    [pytest.param(panel, id=f"{name}, {panel['title']}") for name, board in BOARDS.items() for panel in panels(board)],
)
every_query = pytest.mark.parametrize("query", queries(), ids=str)


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


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: Path(path).name)
def test_a_dashboard_is_as_make_dashboards_would_write_it(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == GENERATED[path], "run `make dashboards`"


def test_there_are_no_dashboards_but_those() -> None:
    assert set(FOLDER.iterdir()) == GENERATED.keys()


@every_board
def test_grafanas_own_types_read_a_dashboard_and_lose_nothing(board: dict[str, Any]) -> None:
    register_default_plugins()
    read = Dashboard.from_json(board)
    assert [panel.title for panel in read.panels or ()] == [panel["title"] for panel in board["panels"]]
    assert (read.uid, read.schema_version) == (board["uid"], board["schemaVersion"])


def test_each_dashboard_has_an_address_of_its_own_and_leads_to_the_others() -> None:
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)
    for board in BOARDS.values():
        [link] = board["links"]
        assert (link["type"], link["tags"]) == ("dashboards", ["afterimage"])
        assert board["tags"] == ["afterimage"]


@every_panel
def test_what_a_panel_leads_to_is_there(panel: dict[str, Any]) -> None:
    named = {re.match(r"/d/([^?]+)", link["url"])[1] for link in panel.get("links", ())}
    assert named <= {board["uid"] for board in BOARDS.values()}


@every_query
def test_a_query_names_metrics_that_there_are_and_their_labels(query: DashboardQuery) -> None:
    metrics = query.metrics()
    assert metrics
    assert metrics - DECLARED.keys() - OF_EVERY_PROCESS - recorded() == set()
    known = set().union(*(DECLARED.get(metric, set()) for metric in metrics))
    assert query.labels() - ADDED_BY_PROMETHEUS - known == set()


def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    """It is given them as rules: those are read as queries are."""
    filled = [query.filled(dict.fromkeys(variables(BOARDS[query.board]), "x") | STEP) for query in queries()]
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(filled)]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    promtool("check", "rules", file)


@every_query
def test_a_query_uses_variables_that_exist(query: DashboardQuery) -> None:
    assert "$" not in query.filled(dict.fromkeys(variables(BOARDS[query.board]), "x") | STEP)


@every_board
def test_each_variable_is_used(board: dict[str, Any]) -> None:
    text = str([panels(board), board["annotations"]])
    assert [name for name in variables(board) if f"${name}" not in text and f"${{{name}}}" not in text] == []


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


@every_panel
def test_a_line_that_an_alert_gave_is_one_of_its_limits(panel: dict[str, Any]) -> None:
    """Those of WorkerDown and ReplicaStale are of 0 and 1, where a panel shows how many are well."""
    named = re.search(r"The line is where (\w+) alerts", panel["description"])
    if named is None or named[1] in {"WorkerDown", "ReplicaStale"}:
        return
    [line] = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"] if step["value"]]
    assert line in limits(named[1])


def test_every_alert_of_a_limit_has_a_line_somewhere() -> None:
    rules = [rule for group in load(RULES)["groups"] for rule in group["rules"] if "alert" in rule]
    text = " ".join(panel["description"] for board in BOARDS.values() for panel in panels(board))
    assert [rule["alert"] for rule in rules if rule["alert"] not in text] == []


@every_board
def test_panels_have_a_place_of_their_own(board: dict[str, Any]) -> None:
    everything = board["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    for one, other in combinations([panel["gridPos"] for panel in everything], 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        ), f"{one} overlaps {other}"
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in everything)


@every_board
def test_no_two_panels_of_a_dashboard_have_one_title(board: dict[str, Any]) -> None:
    titles = [panel["title"] for panel in panels(board)]
    assert len(set(titles)) == len(titles)


def test_grafana_finds_them_where_compose_mounts_them() -> None:
    provider = load(GRAFANA / "provisioning" / "dashboards" / "afterimage.yml")["providers"][0]
    grafana = services()["grafana"]
    folder = provider["options"]["path"]
    assert f"./deploy/grafana/dashboards:{folder}:ro" in grafana["volumes"]
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == f"{folder}/overview.json"
