"""Overview: is all well, and where not, which of the other dashboards tells more."""

from grafana_foundation_sdk.models import units

from deploy.grafana.source.alerts import limits, searchable_within_s
from deploy.grafana.source.board import BUS, EXTRACTION, INDEX, OVERVIEW, WORKERS, Row, board
from deploy.grafana.source.panels import graph, number
from deploy.grafana.source.queries import Query, most, quantile, quantiles, rate, series, total

_UNANSWERED, _LATE = "afterimage:queries_unanswered", "afterimage:images_late"
_QUERY_BUDGET, _IMAGE_BUDGET = (limits(alert)[-1] for alert in ("QueriesUnanswered", "ImagesSearchableLate"))
"""The shares of queries and of images that may miss their objectives."""
_PAGES_AT = limits("QueriesUnanswered")[0] / _QUERY_BUDGET
"""Times the rate at which a budget lasts 30 days, over an hour."""
_BUDGET_STEPS = (("red", None), ("orange", 0.0), ("green", 0.25))

_SEARCHABLE = "afterimage_time_to_searchable_seconds"
_WITHIN_S = searchable_within_s()
_NOT_ANSWERED = 'outcome=~"overloaded|not_ready|internal|expired|reply_failed"'
_FAILED = 'outcome=~"internal_server_error|service_unavailable"'
_OURS = f'job=~"{WORKERS}"'

_objectives = Row(
    "Objectives, over 30 days",
    [
        number(
            "Budget left: queries",
            units.PercentUnit,
            f"Of the {_QUERY_BUDGET:.1%} of queries that may go unanswered within 30 days, the share that is left. "
            "Below 0 the objective is missed. Prometheus must keep its data for as long.",
            f"{_UNANSWERED}:budget_left30d",
            steps=_BUDGET_STEPS,
            height=8,
        ),
        number(
            "Budget left: images",
            units.PercentUnit,
            f"Of the {_IMAGE_BUDGET:.0%} of images that may take longer than {_WITHIN_S:g} s to be searchable within "
            "30 days, the share that is left. Below 0 the objective is missed.",
            f"{_LATE}:budget_left30d",
            steps=_BUDGET_STEPS,
            height=8,
        ),
        number(
            "Alerts",
            units.Short,
            "Alerts that fire now. Their pages in docs/runbooks say what to do.",
            'sum(ALERTS{alertstate="firing"}) or vector(0)',
            steps=(("green", None), ("red", 1)),
            decimals=0,
            height=8,
        ),
        graph(
            "How fast the budgets are spent",
            units.Short,
            "Times the rate at which they last 30 days. The line is where QueriesUnanswered and ImagesSearchableLate "
            "page somebody for an hour's rate; for six hours they do so above 6.",
            *(
                Query(f"{record}:ratio_rate{window} / {budget}", f"{what}, {window}")
                for record, budget, what in ((_UNANSWERED, _QUERY_BUDGET, "queries"), (_LATE, _IMAGE_BUDGET, "images"))
                for window in ("1h", "6h")
            ),
            line=_PAGES_AT,
            width=12,
        ),
    ],
)

_glance = Row(
    "Now",
    [
        number(
            "Upload events",
            units.EventsPerSecond,
            "Upload events that the extractors dealt with, whatever became of them.",
            rate("afterimage_extractor_events_total"),
            details=EXTRACTION,
        ),
        number(
            "Time to searchable, p95",
            units.Seconds,
            f"From an upload event's timestamp to the image being searchable on a replica. The aim is {_WITHIN_S:g} s.",
            quantile(0.95, _SEARCHABLE),
            steps=(("green", None), ("red", _WITHIN_S)),
            decimals=2,
        ),
        number(
            "Rejected in the last hour",
            units.Short,
            "Upload events that went to images.rejected. Each carries its reason; `afterimage redrive` sends it again.",
            "sum(increase(afterimage_extractor_rejects_total[1h])) or vector(0)",
            steps=(("green", None), ("orange", 1)),
            decimals=0,
            details=EXTRACTION,
        ),
        number(
            "Queries",
            units.RequestsPerSecond,
            "Search requests that the searchers dealt with, errors included.",
            rate("afterimage_searcher_queries_total"),
        ),
        number(
            "Query latency, p95",
            units.Seconds,
            "From a request's timestamp to its reply being acknowledged by Kafka.",
            quantile(0.95, "afterimage_searcher_query_seconds"),
            decimals=3,
        ),
        number(
            "Replicas live",
            units.PercentUnit,
            "Copies of a shard that are up to date, of all copies. Only a searcher whose copies are all live is ready.",
            'sum(afterimage_replica_state{state="live"}) / sum(afterimage_replica_state)',
            steps=(("red", None), ("green", 1)),
            decimals=0,
            details=INDEX,
        ),
    ],
)

_uploads = Row(
    "Uploads",
    [
        graph(
            "Upload events by outcome",
            units.EventsPerSecond,
            "encoded: on its way to the index. deleted: a delete was passed on. rejected: went to images.rejected. "
            "forwarded: sent on to the partition that its id belongs to. ignored: about no image.",
            Query(rate("afterimage_extractor_events_total", by=["outcome"]), "{{outcome}}"),
            stacked=True,
            details=EXTRACTION,
        ),
        graph(
            "Time to searchable",
            units.Seconds,
            "From an upload event's timestamp to the image being searchable on a replica. What is read again after a "
            f"restart does not count. The line is the objective: {_WITHIN_S:g} s for 99% of images.",
            *quantiles(_SEARCHABLE),
            line=_WITHIN_S,
        ),
        graph(
            "Rejects by reason",
            units.EventsPerSecond,
            "Why upload events were rejected. One bad input costs that input alone.",
            Query(rate("afterimage_extractor_rejects_total", by=["reason"]), "{{reason}}"),
            stacked=True,
            details=EXTRACTION,
        ),
    ],
)

_queries = Row(
    "Queries",
    [
        graph(
            "Queries by outcome",
            units.RequestsPerSecond,
            "ok, or the error code of the reply. expired: the deadline had passed before the request was read. "
            "reply_failed: Kafka did not take the reply.",
            Query(rate("afterimage_searcher_queries_total", by=["outcome"]), "{{outcome}}"),
            stacked=True,
        ),
        graph(
            "Query latency",
            units.Seconds,
            "From a request's timestamp to its reply being acknowledged by Kafka.",
            *quantiles("afterimage_searcher_query_seconds"),
        ),
        graph(
            "Where the time goes, p95",
            units.Seconds,
            "Where a query spends its time. queue: from its timestamp until it is taken up.",
            Query(quantile(0.95, "afterimage_searcher_stage_seconds", by=["stage"]), "{{stage}}"),
        ),
    ],
)

_errors = Row(
    "Errors and lag",
    [
        graph(
            "Errors",
            units.EventsPerSecond,
            "Uploads that were rejected, queries that nobody answered, and HTTP requests that failed on this side.",
            Query(rate("afterimage_extractor_rejects_total"), "uploads rejected"),
            Query(f"{rate('afterimage_searcher_queries_total', _NOT_ANSWERED)} or vector(0)", "queries unanswered"),
            Query(f"{rate('afterimage_gateway_requests_total', _FAILED)} or vector(0)", "HTTP requests failed"),
        ),
        graph(
            "Records waiting in Kafka",
            units.Short,
            "Records of its topic that a kind of worker has not taken yet. Growing without end means that there are "
            "too few of that worker.",
            Query(total("afterimage_extractor_lag_records"), "extractor: images.uploaded"),
            Query(total("afterimage_indexer_lag_records"), "indexer: images.features"),
            Query(total("afterimage_searcher_lag_records"), "searcher: search.requests"),
            alert="LagGrows",
            details=BUS,
        ),
        graph(
            "How long records wait in Kafka",
            units.Seconds,
            "Seconds, at least, that the first record that was not taken yet has waited: the partition where it is "
            "most.",
            Query("max(afterimage_extractor_lag_seconds)", "extractor: images.uploaded"),
            Query("max(afterimage_indexer_lag_seconds)", "indexer: images.features"),
            Query("max(afterimage_searcher_lag_seconds)", "searcher: search.requests"),
            alert="RecordsWait",
            details=BUS,
        ),
        graph(
            "Replica lag",
            units.Seconds,
            "Seconds since the copy that is furthest behind was last seen to have all of its log: about 1 s when all "
            "is well. After 5 s it is stale.",
            Query(most("afterimage_replica_lag_seconds", by=["instance"]), "{{instance}}"),
            details=INDEX,
        ),
        graph(
            "In flight",
            units.Short,
            "Upload events and queries under way. At EXTRACTOR_MAX_IN_FLIGHT further events wait in Kafka; at "
            "SEARCHER_MAX_IN_FLIGHT further queries are answered 'overloaded'.",
            Query(total("afterimage_extractor_in_flight"), "upload events"),
            Query(total("afterimage_searcher_in_flight"), "queries"),
            Query(total("afterimage_gateway_in_flight"), "HTTP requests"),
        ),
    ],
)

_gateway = Row(
    "Gateway",
    [
        graph(
            "HTTP requests by outcome",
            units.RequestsPerSecond,
            "Requests to the gateway, by the words of the HTTP status.",
            Query(rate("afterimage_gateway_requests_total", by=["outcome"]), "{{outcome}}"),
            stacked=True,
        ),
        graph(
            "HTTP latency, p95",
            units.Seconds,
            "From a request's head to the end of its answer. An upload that waits to be searchable takes as long as "
            "its caller allows.",
            Query(quantile(0.95, "afterimage_gateway_request_seconds", by=["route"]), "{{route}}"),
        ),
        graph(
            "Listeners",
            units.Short,
            "Browsers and programs that hear the live stream.",
            Query(total("afterimage_gateway_listeners"), "listeners"),
        ),
    ],
)

_processes = Row(
    "Processes",
    [
        graph(
            "Workers that answer",
            units.Short,
            "Processes whose /metrics Prometheus can read, by worker.",
            Query(total(series("up", _OURS), by=["job"]), "{{job}}"),
            alert="WorkerDown",
            line=1,
            below=True,
        ),
        graph(
            "Processors used",
            units.Short,
            "Processors that each process keeps busy. What decodes and what seals are processes of their own, and not "
            "in it.",
            Query(rate("process_cpu_seconds_total", _OURS, by=["job", "instance"]), "{{job}} {{instance}}"),
        ),
        graph(
            "Memory",
            units.BytesIEC,
            "Resident memory of each process, mapped files that were touched included.",
            Query(series("process_resident_memory_bytes", _OURS), "{{job}} {{instance}}"),
        ),
    ],
)

OVERVIEW_BOARD = board(
    OVERVIEW,
    "Afterimage: overview",
    "From an upload to a search hit: rates, latencies, lag, and what is left of the objectives' budgets.",
    _objectives,
    _glance,
    _uploads,
    _queries,
    _errors,
    _gateway,
    _processes,
)
