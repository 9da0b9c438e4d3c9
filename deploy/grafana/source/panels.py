"""The two kinds of panels that the dashboards are made of: a number, and lines over time."""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import TypeAlias

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as choices
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    FieldColorModeId,
    Panel,
    Threshold,
    ThresholdsMode,
)

from deploy.grafana.source.alerts import limit
from deploy.grafana.source.queries import Query

AnyPanel: TypeAlias = Builder[Panel]
Steps: TypeAlias = Sequence[tuple[str, float | None]]
"""Colours, each with the value from which it holds; the first holds below all others, and has none."""

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

PLAIN: Steps = (("blue", None),)


def number(
    title: str,
    unit: str,
    description: str,
    expr: str,
    *,
    steps: Steps = PLAIN,
    decimals: int = 1,
    width: int = 4,
    height: int = 4,
    details: str | None = None,
) -> AnyPanel:
    """What one query gives now, with a trace of how it came to that. details: the dashboard that tells more."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .decimals(decimals)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(_thresholds(steps))
        .color_mode(choices.BigValueColorMode.VALUE)
        .graph_mode(choices.BigValueGraphMode.AREA)
        .text_mode(choices.BigValueTextMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .height(height)
        .span(width)
        .with_target(_target(0, Query(expr, title)))
    )
    return panel.links([_to(details)]) if details else panel


def graph(
    title: str,
    unit: str,
    description: str,
    *queries: Query,
    stacked: bool = False,
    bars: bool = False,
    alert: str | None = None,
    line: float | None = None,
    below: bool = False,
    top: float | None = None,
    width: int = 8,
    details: str | None = None,
) -> AnyPanel:
    """Lines over time.

    stacked: the lines are parts of a whole. bars: of what is rare. alert: whose limit is drawn; line: another limit.
    below: what is under it is bad. top: the most that there can be. details: the dashboard that tells more.
    """
    if alert is not None:
        line = limit(alert) if line is None else line
        description = f"{description} The line is where {alert} alerts."
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .draw_style(choices.GraphDrawStyle.BARS if bars else choices.GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(80 if bars else 25 if stacked else 8)
        .show_points(choices.VisibilityMode.NEVER)
        .span_nulls(False)
        .stacking(common.StackingConfig().mode(_STACKING[stacked or bars]).group("A"))
        .legend(
            common.VizLegendOptions()
            .display_mode(choices.LegendDisplayMode.TABLE)
            .placement(choices.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(common.VizTooltipOptions().mode(choices.TooltipDisplayMode.MULTI).sort(choices.SortOrder.DESCENDING))
        .height(8)
        .span(width)
    )
    for place, query in enumerate(queries):
        panel.with_target(_target(place, query))
    if line is not None:
        steps: Steps = (("red", None), ("green", line)) if below else (("green", None), ("red", line))
        panel.thresholds(_thresholds(steps))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(choices.GraphThresholdsStyleMode.DASHED))
    if top is not None:
        panel.max(top)
    return panel.links([_to(details)]) if details else panel


_STACKING = {False: choices.StackingMode.NONE, True: choices.StackingMode.NORMAL}


def _target(place: int, query: Query) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .ref_id(ascii_uppercase[place])
        .datasource(SOURCE)
        .expr(query.expr)
        .legend_format(query.legend)
        .range()
    )


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=color) for color, value in steps])
    )


def _to(uid: str) -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("More of this")
        .type(DashboardLinkType.LINK)
        .url(f"/d/{uid}?${{__url_time_range}}&${{datasource:queryparam}}")
    )
