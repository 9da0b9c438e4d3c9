"""The bus: what waits in Kafka, what goes through it, and Redis."""

from grafana_foundation_sdk.models import units

from deploy.grafana.source.board import BUS, Row, board
from deploy.grafana.source.panels import graph
from deploy.grafana.source.queries import Query, increase, mean, most, quantile, quantiles, rate, total

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
        graph(
            "How long records wait, by partition",
            units.Seconds,
            "Seconds, at least, that the first record that was not taken yet has waited.",
            *(
                Query(most(f"{worker}_lag_seconds", by=["partition"]), f"{topic} {{{{partition}}}}")
                for worker, topic in _READ_BY
            ),
            alert="RecordsWait",
        ),
    ],
)

_producers = [f"afterimage_{worker}" for worker in ("extractor", "indexer", "searcher")]


def _of_all(metric: str) -> list[Query]:
    """By topic: each is written by one kind of worker, but for the rejects, which the indexer may add to."""
    return [
        Query(rate(f"{worker}_{metric}", by=["topic"]), f"{worker.removeprefix('afterimage_')}: {{{{topic}}}}")
        for worker in _producers
    ]


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
            "Bytes taken",
            units.BytesPerSecondIEC,
            "Bytes of the values of records that were handed to the workers.",
            *(Query(rate(f"{worker}_consumed_bytes_total"), topic) for worker, topic in _READ_BY),
        ),
        graph(
            "Records taken at once",
            units.Short,
            "Mean number of records in a batch. Large batches mean that records had to wait for the worker.",
            *(Query(mean(f"{worker}_consumed_batch_records"), topic) for worker, topic in _READ_BY),
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

_producing = Row(
    "Producing",
    [
        graph(
            "Records written",
            units.MessagesPerSecond,
            "Records that Kafka has acknowledged, by topic. other: a topic that a caller named for its replies.",
            *_of_all("produce_seconds_count"),
        ),
        graph(
            "Bytes written",
            units.BytesPerSecondIEC,
            "Bytes of the values of those records.",
            *_of_all("produced_bytes_total"),
        ),
        graph(
            "Time to be acknowledged, p95",
            units.Seconds,
            "Seconds from sending a record to Kafka's acknowledgement by all replicas.",
            *(
                Query(
                    quantile(0.95, f"{worker}_produce_seconds", by=["topic"]),
                    f"{worker.removeprefix('afterimage_')}: {{{{topic}}}}",
                )
                for worker in _producers
            ),
        ),
        graph(
            "Records that were not acknowledged",
            units.CountsPerSecond,
            "Each time that they were sent: but for replies, they are sent again until Kafka has them.",
            *_of_all("produce_failures_total"),
        ),
    ],
)

_redis = Row(
    "Redis",
    [
        graph(
            "Memory of Redis",
            units.BytesIEC,
            "Used, and the limit that is set, if any. At the limit Redis refuses what needs more: batches for the "
            "logs, and codes for the cache.",
            Query(most("afterimage_indexer_redis_memory_bytes", by=["of"]), "{{of}}"),
        ),
        graph(
            "Batches in the log",
            units.Short,
            "Batches of operations that the log of each shard holds. INDEXER_LOG_WINDOW bounds the offsets, of which "
            "a batch spans one or more.",
            Query(most("afterimage_indexer_log_entries", by=["shard"]), "shard {{shard}}"),
        ),
        graph(
            "Append to the log",
            units.Seconds,
            "Time to append one batch to the log in Redis, publishing included. Milliseconds when all is well.",
            *quantiles("afterimage_indexer_append_seconds"),
        ),
        graph(
            "Redis or Kafka did not answer",
            units.Short,
            "Times that a shard could not be claimed or written, or a copy not go on. log is Redis; bus and history "
            "are Kafka.",
            Query(increase("afterimage_indexer_unavailable_total", by=["source"]), "indexer: {{source}}"),
            Query(increase("afterimage_replica_unavailable_total", by=["source"]), "searcher: {{source}}"),
            bars=True,
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
    _producing,
    _redis,
)
