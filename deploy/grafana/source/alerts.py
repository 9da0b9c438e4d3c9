"""The limits that the alerts have, read from their rules, so that a panel's line is where its alert fires."""

import math
import re
from pathlib import Path
from typing import Any

import yaml

RULES = Path(__file__).parents[2] / "prometheus" / "rules.yml"

_COMPARED_WITH = re.compile(r"(?:==|[<>]=?)\s*(\d[\d.]*(?:\s*\*\s*[\d.]+)*)")
_SEARCHABLE_WITHIN = re.compile(r'afterimage_time_to_searchable_seconds_bucket\{le="([\d.]+)"\}')


def limits(alert: str) -> list[float]:
    """The numbers that an alert compares with, in the order of its expression, those of its first rule first.

    Raises KeyError where there is no such alert.
    """
    expressions = [rule["expr"] for rule in _rules() if rule.get("alert") == alert]
    if not expressions:
        raise KeyError(f"{RULES} has no alert {alert}")
    return [_product(found) for expr in expressions for found in _COMPARED_WITH.findall(expr)]


def limit(alert: str) -> float:
    """The first of them that is not 0, with which an expression only asks whether there is any."""
    return next(filter(None, limits(alert)))


def searchable_within_s() -> float:
    """The objective's time from an upload to its image being searchable, in seconds."""
    found = {float(le) for rule in _rules() for le in _SEARCHABLE_WITHIN.findall(rule["expr"])}
    [seconds] = found
    return seconds


def _product(factors: str) -> float:
    return math.prod(float(factor) for factor in factors.split("*"))


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]
