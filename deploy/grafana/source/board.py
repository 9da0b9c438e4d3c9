"""What all dashboards have in common: their data source, the links between them, and where workers started."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import TimeZoneBrowser
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from deploy.grafana.source.panels import SOURCE, AnyPanel

TAG = "afterimage"
OVERVIEW, EXTRACTION, INDEX, BUS = (f"{TAG}-{name}" for name in ("overview", "extraction", "index", "bus"))
"""The dashboards' uids, which are in their addresses."""

WORKERS = "extractor|indexer|searcher|gateway"
"""A matcher of the jobs that Prometheus has for the workers."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: Sequence[AnyPanel]


def board(
    uid: str, title: str, description: str, *rows: Row, variables: Sequence[Builder[VariableModel]] = ()
) -> Dashboard:
    """A dashboard, its panels laid out from left to right and from top to bottom."""
    builder = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .refresh("10s")
        .time("now-30m", "now")
        .timezone(TimeZoneBrowser)
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .version(1)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .annotation(Restarts())
        .link(_to_the_others())
    )
    for variable in variables:
        builder.with_variable(variable)
    for row in rows:
        builder.with_row(dashboard.Row(row.title))
        for panel in row.panels:
            builder.with_panel(panel)
    built = builder.build()
    for number, placed in enumerate(built.panels or (), start=1):
        placed.id_val = number
    return built


def instances(name: str, metric: str, description: str) -> Builder[VariableModel]:
    """A choice among the replicas of a worker: those that export `metric`; all of them, unless some are chosen."""
    return (
        dashboard.QueryVariable(name)
        .label(name.capitalize())
        .description(description)
        .datasource(SOURCE)
        .query({"refId": name, "query": f"label_values({metric}, instance)"})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(VariableOption(text=["All"], value=["$__all"]))
    )


class Restarts(Builder[AnnotationQuery]):
    """A mark wherever a worker's process began."""

    def build(self) -> AnnotationQuery:
        return _Dated(
            name="Starts of workers",
            datasource=SOURCE,
            icon_color="purple",
            expr=f'process_start_time_seconds{{job=~"{WORKERS}"}} * 1000',
        )


class _Dated(AnnotationQuery):
    """Marks that stand where the values of a query say, in Unix milliseconds. Grafana's library has no words for it."""

    def to_json(self) -> dict[str, object]:
        return super().to_json() | {
            "useValueForTime": True,
            "titleFormat": "{{job}} started",
            "textFormat": "{{instance}}",
            "tagKeys": "job",
        }


def _to_the_others() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("Afterimage")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .keep_time(True)
        .include_vars(True)
    )
