"""PromQL, as the panels need it: rates, quantiles and shares, over the time that one step of a graph takes.

where: label matchers, without their braces. by: the labels that are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Query:
    """One expression, and what its lines are called; `{{label}}` stands for the label's value."""

    expr: str
    legend: str


def series(metric: str, where: str = "") -> str:
    return f"{metric}{{{where}}}" if where else metric


def rate(metric: str, where: str = "", *, by: Sequence[str] = ()) -> str:
    """How much of a counter comes each second."""
    return total(f"rate({series(metric, where)}[$__rate_interval])", by=by)


def increase(metric: str, where: str = "", *, by: Sequence[str] = ()) -> str:
    """How much of a counter came in the step: for what is rare."""
    return total(f"increase({series(metric, where)}[$__rate_interval])", by=by)


def total(expr: str, *, by: Sequence[str] = ()) -> str:
    return f"sum by ({', '.join(by)}) ({expr})" if by else f"sum({expr})"


def most(expr: str, *, by: Sequence[str]) -> str:
    return f"max by ({', '.join(by)}) ({expr})"


def quantile(share: float, histogram: str, where: str = "", *, by: Sequence[str] = ()) -> str:
    return f"histogram_quantile({share:g}, {rate(f'{histogram}_bucket', where, by=('le', *by))})"


def quantiles(histogram: str, where: str = "") -> list[Query]:
    return [Query(quantile(share, histogram, where), f"p{share * 100:g}") for share in (0.5, 0.95, 0.99)]


def mean(histogram: str, where: str = "") -> str:
    """The mean of what a histogram observed in the step."""
    return f"{rate(f'{histogram}_sum', where)} / {rate(f'{histogram}_count', where)}"
