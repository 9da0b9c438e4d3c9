"""The bus: what waits in Kafka, what goes through it, and Redis."""

from grafana_foundation_sdk.models import units

from deploy.grafana.source.board import BUS, Row, board
from deploy.grafana.source.panels import graph
from deploy.grafana.source.queries import Query, quantile, quantiles, rate, total

_READ_BY = (
    ("afterimage_extractor", "images.uploaded"),
    ("afterimage_indexer", "images.features"),
    ("afterimage_searcher", "search.requests"),
)
"""Each worker that consumes: what its metrics begin with, and its topic."""

_lag = Row(
    "Lag",
    [
        graph(
            "Records waiting, by worker",
            units.Short,
            "Records of its topic that a kind of worker has not taken yet. Growing without end means that there are "
            "too few of that worker.",
            *(Query(total(f"{worker}_lag_records"), topic) for worker, topic in _READ_BY),
            alert="LagGrows",
        ),
        graph(
            "Records waiting, by partition",
            units.Short,
            "One partition alone: whoever holds it is stuck, or gets far more than the others.",
            *(
                Query(total(f"{worker}_lag_records", by=["partition"]), f"{topic} {{{{partition}}}}")
                for worker, topic in _READ_BY
            ),
        ),
    ],
)

_consuming = Row(
    "Consuming",
    [
        graph(
            "Records taken",
            units.MessagesPerSecond,
            "Records that were handed to the workers, by topic.",
            Query(rate("faststream_received_messages_total", by=["handler"]), "{{handler}}"),
        ),
        graph(
            "Time to hand a batch over, p95",
            units.Seconds,
            "How long a worker took to have room for all records of a batch. Until then it is given no further ones.",
            Query(
                quantile(0.95, "faststream_received_processed_messages_duration_seconds", by=["handler"]), "{{handler}}"
            ),
        ),
        graph(
            "Records being handed over",
            units.Short,
            "Records of batches that a worker has no room for yet.",
            Query(total("faststream_received_messages_in_process", by=["handler"]), "{{handler}}"),
        ),
    ],
)

_redis = Row(
    "Redis",
    [
        graph(
            "Append to the log",
            units.Seconds,
            "Time to append one batch to the log in Redis, publishing included. Milliseconds when all is well.",
            *quantiles("afterimage_indexer_append_seconds"),
        ),
        graph(
            "Cache of codes without an answer",
            units.CountsPerSecond,
            "Images that were not looked up among those seen before, since Redis did not answer in time.",
            Query(rate("afterimage_extractor_cache_lookups_total", 'outcome="unavailable"'), "unavailable"),
        ),
    ],
)

BUS_BOARD = board(
    BUS,
    "Afterimage: bus",
    "Kafka: what waits and what goes through, by topic. Redis: the log of the shards, and the cache of codes.",
    _lag,
    _consuming,
    _redis,
)
