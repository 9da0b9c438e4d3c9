"""Where the files of a deployment are, and the compose file as compose reads it."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
PROMETHEUS = ROOT / "deploy" / "prometheus" / "prometheus.yml"
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
RULE_CASES = Path(__file__).with_name("alerts.yml")
RUNBOOKS = ROOT / "docs" / "runbooks"
REDIS = ROOT / "deploy" / "redis" / "redis.conf"
KAFKA_POM = ROOT / "deploy" / "kafka" / "pom.xml"
GRAFANA = ROOT / "deploy" / "grafana"

WORKERS = ("extractor", "indexer", "searcher", "gateway")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def services() -> dict[str, dict[str, Any]]:
    """The services of the compose file, its anchors resolved and each ${VARIABLE:-default} at its default."""
    text = re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", COMPOSE.read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
    return found
