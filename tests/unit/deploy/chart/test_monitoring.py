"""Metrics, rules and dashboards: the same as elsewhere, for the Prometheus operator and Grafana's sidecar."""

import json
import re

from tests.unit.deploy.chart.rendering import CHART, every_scenario, rendered
from tests.unit.deploy.files import GRAFANA, RULES, WORKERS, load


def test_the_rules_are_those_of_prometheus() -> None:
    (rule,) = rendered("production").of_kind("PrometheusRule")
    assert rule["spec"] == load(RULES)
    assert (CHART / "files" / "rules.yml").resolve() == RULES


def test_the_dashboards_are_those_of_grafana() -> None:
    made = rendered("production").of_kind("ConfigMap")
    found = {name: json.loads(text) for each in made for name, text in each["data"].items()}
    assert found == {path.name: json.loads(path.read_text("utf-8")) for path in (GRAFANA / "dashboards").glob("*.json")}
    assert found
    assert {each["metadata"]["labels"]["grafana_dashboard"] for each in made} == {"1"}


def test_every_worker_is_scraped_once_under_the_job_that_the_rules_know() -> None:
    made = rendered("production")
    scraped = []
    for monitor in made.of_kind("PodMonitor"):
        assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/component"
        labels, (one_of,) = (monitor["spec"]["selector"][key] for key in ("matchLabels", "matchExpressions"))
        for each in made.containers():
            if labels.items() <= each.labels.items() and each.labels[one_of["key"]] in one_of["values"]:
                scraped.append(each.labels[monitor["spec"]["jobLabel"]])
                (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
                assert endpoint["port"] == each.spec["ports"][0]["name"]
                assert endpoint["path"] == "/metrics"
                assert ("authorization" in endpoint) is (each.worker == "gateway")
    assert sorted(scraped) == sorted(WORKERS)
    named = set(re.findall(r'job=~"([^"]+)"', RULES.read_text(encoding="utf-8")))
    assert {job for each in named for job in each.split("|")} <= set(scraped)


@every_scenario
def test_what_needs_an_operator_is_there_only_where_it_is_asked_for(scenario: str) -> None:
    groups = {each["apiVersion"].split("/")[0] for each in rendered(scenario)}
    assert ("monitoring.coreos.com" in groups) is (scenario == "production")
    assert ("keda.sh" in groups) is (scenario in {"production", "secured-wires", "certificates"})
