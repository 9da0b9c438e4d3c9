"""The dashboard as Grafana reads it: its panels, and what they ask Prometheus."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.unit.deploy.files import GRAFANA

DASHBOARD = GRAFANA / "dashboards" / "afterimage.json"

_METRIC = re.compile(r"\b(?:afterimage|faststream|process|python)_\w+")
_BY = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right) \(([^)]*)\)")
_MATCHERS = re.compile(r"\{([^}]*)\}")
_MATCHER_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelQuery:
    """One PromQL expression, with Grafana's variables still in it."""

    panel: str
    expr: str
    legend: str

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


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def panels() -> list[dict[str, Any]]:
    """Those that show something; not the headings of the rows."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries() -> list[PanelQuery]:
    return [
        PanelQuery(panel=panel["title"], expr=target["expr"], legend=target["legendFormat"])
        for panel in panels()
        for target in panel["targets"]
    ]
