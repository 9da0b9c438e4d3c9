"""Prometheus' configuration: valid, aimed at every replica of every worker, and its alerts fire when they should."""

import re
from typing import Any

from docs.metric_tables import OWN, declared_by
from tests.unit.deploy.files import GRAFANA, PROMETHEUS, RULE_CASES, RULES, RUNBOOKS, WORKERS, load, services
from tests.unit.deploy.promtool import promtool


def test_prometheus_accepts_its_configuration() -> None:
    promtool("check", "config", PROMETHEUS)


def test_the_alerts_fire_and_are_silent_when_they_should() -> None:
    promtool("test", "rules", RULE_CASES)


def test_each_alert_has_a_case_that_fires_and_one_that_is_silent() -> None:
    cases = [case for test in load(RULE_CASES)["tests"] for case in test.get("alert_rule_test", ())]
    for alert in alerts():
        fires = {bool(case["exp_alerts"]) for case in cases if case["alertname"] == alert["alert"]}
        assert fires == {True, False}, alert["alert"]


def test_each_alert_names_its_runbook_and_each_runbook_has_its_alert() -> None:
    assert {alert["annotations"]["runbook"] for alert in alerts()} == {
        f"docs/runbooks/{page.name}" for page in RUNBOOKS.glob("*.md")
    }


def test_rules_ask_for_metrics_that_there_are() -> None:
    declared = {metric.name for declare in OWN.values() for each in declared_by(declare) for metric in each.describe()}
    for name in set(re.findall(r"\bafterimage_\w+", RULES.read_text(encoding="utf-8"))):
        family = re.sub(r"_(total|bucket|count|sum)$", "", name)
        assert family in declared or name == "afterimage_", name


def alerts() -> list[dict[str, Any]]:
    return [rule for group in load(RULES)["groups"] for rule in group["rules"] if "alert" in rule]


def test_each_worker_is_scraped_where_it_listens() -> None:
    jobs = {job["job_name"]: job["dns_sd_configs"][0] for job in load(PROMETHEUS)["scrape_configs"]}
    assert jobs.keys() == set(WORKERS)
    for worker, discovery in jobs.items():
        port = int(services()[worker]["healthcheck"]["test"][-1])
        assert (discovery["names"], discovery["type"], discovery["port"]) == ([worker], "A", port)


def test_grafana_knows_how_often_prometheus_scrapes() -> None:
    """From this it makes $__rate_interval; a shorter one would leave rates without two points to compare."""
    source = load(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"][0]
    assert source["jsonData"]["timeInterval"] == load(PROMETHEUS)["global"]["scrape_interval"]
