"""The dashboards as Grafana reads them: their panels, and what they ask Prometheus."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tests.unit.deploy.files import GRAFANA, RULES

FOLDER = GRAFANA / "dashboards"

_METRIC = re.compile(r"\b(?:(?:afterimage|faststream|process|python)_\w+|up\b|ALERTS\b|afterimage:\w+(?::\w+)?)")
_BY = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right) \(([^)]*)\)")
_MATCHERS = re.compile(r"\{([^}]*)\}")
_MATCHER_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardQuery:
    """One PromQL expression, with Grafana's variables still in it."""

    board: str
    panel: str
    expr: str
    legend: str

    def __str__(self) -> str:
        return f"{self.board}, {self.panel}: {self.legend}"

    def metrics(self) -> set[str]:
        return set(_METRIC.findall(self.expr))

    def labels(self) -> set[str]:
        """Every label that the expression or its legend names."""
        grouped = {label.strip() for found in _BY.findall(self.expr) for label in found.split(",")}
        matched = {label for found in _MATCHERS.findall(self.expr) for label in _MATCHER_LABEL.findall(found)}
        return (grouped | matched | set(re.findall(r"\{\{(\w+)\}\}", self.legend))) - {""}

    def filled(self, variables: Mapping[str, str]) -> str:
        """The expression as Grafana sends it."""
        return re.sub(r"\$(\w+)", lambda name: variables[name[1]], self.expr)


def boards() -> dict[str, dict[str, Any]]:
    """By the names of their files."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def panels(board: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that show something; not the headings of the rows."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def queries() -> list[DashboardQuery]:
    """What the panels of all dashboards ask for, and their annotations."""
    return [query for name, board in boards().items() for query in _queries(name, board)]


def variables(board: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in board["templating"]["list"]}


def recorded() -> set[str]:
    """The series that Prometheus' rules record."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


def _queries(name: str, board: Mapping[str, Any]) -> Sequence[DashboardQuery]:
    shown = [
        DashboardQuery(board=name, panel=panel["title"], expr=target["expr"], legend=target["legendFormat"])
        for panel in panels(board)
        for target in panel["targets"]
    ]
    marks = [
        DashboardQuery(board=name, panel=mark["name"], expr=mark["expr"], legend=mark["titleFormat"])
        for mark in board["annotations"]["list"]
    ]
    return [*shown, *marks]
