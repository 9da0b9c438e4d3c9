"""Index and replication: what the shards hold, how their log is written, and how their copies follow it."""

from grafana_foundation_sdk.models import units

from deploy.grafana.source.alerts import limits
from deploy.grafana.source.board import INDEX, Row, board, instances
from deploy.grafana.source.panels import graph
from deploy.grafana.source.queries import Query, increase, mean, most, quantiles, rate, series, total

_CHOSEN = 'instance=~"$searcher"'
_LIVE = f'state="live",{_CHOSEN}'
_MANIFEST_AGE_S, _MANIFEST_OFFSETS = limits("ManifestOld")

_contents = Row(
    "What the shards hold",
    [
        graph(
            "Images",
            units.Short,
            "Images in each shard, as the indexer and the copies count them. At equal positions they are equal.",
            Query(most("afterimage_indexer_rows", by=["shard"]), "shard {{shard}}, log"),
            Query(
                most(series("afterimage_replica_rows", _CHOSEN), by=["shard", "instance"]),
                "shard {{shard}} on {{instance}}",
            ),
        ),
        graph(
            "Dead rows",
            units.Short,
            "Rows that were replaced or deleted and still take room. A segment is written anew when a fifth of its "
            "rows is dead.",
            Query(most("afterimage_indexer_dead_rows", by=["shard"]), "shard {{shard}}"),
        ),
        graph(
            "Segments",
            units.Short,
            "Sealed segments of each shard. They are merged as they become many, and all into one by `afterimage "
            "compact`.",
            Query(most("afterimage_indexer_segments", by=["shard"]), "shard {{shard}}"),
        ),
    ],
)

_writing = Row(
    "Writing the log",
    [
        graph(
            "Operations by outcome",
            units.OpsPerSecond,
            "What the indexer did with the records of images.features. stale: a newer event for the same image had "
            "won. foreign: made by another encoder or code, so not comparable.",
            Query(rate("afterimage_indexer_operations_total", by=["outcome"]), "{{outcome}}"),
            stacked=True,
        ),
        graph(
            "Operations per append",
            units.Short,
            "Mean number of operations in one batch of the log.",
            Query(mean("afterimage_indexer_batch_operations"), "operations"),
        ),
        graph(
            "Claims of a shard",
            units.Short,
            "Why an indexer claimed the writing of a shard. assigned: a rebalance gave it the partition. fenced: "
            "another writer took over. lost: Redis lost the log.",
            Query(increase("afterimage_indexer_claims_total", by=["cause"]), "{{cause}}"),
            bars=True,
        ),
    ],
)

_replication = Row(
    "Replication",
    [
        graph(
            "Positions",
            units.Short,
            "The offset that the log of a shard has reached, and those that its copies have reached.",
            Query(most("afterimage_indexer_position", by=["shard"]), "shard {{shard}}, log"),
            Query(
                most(series("afterimage_replica_position", _CHOSEN), by=["shard", "instance"]),
                "shard {{shard}} on {{instance}}",
            ),
        ),
        graph(
            "Replica lag, in offsets",
            units.Short,
            "Offsets that a copy is behind its log, as far as it has heard.",
            Query(
                most(series("afterimage_replica_lag_offsets", _CHOSEN), by=["shard", "instance"]),
                "shard {{shard}} on {{instance}}",
            ),
        ),
        graph(
            "Replica lag, in seconds",
            units.Seconds,
            "Seconds since a copy was last seen to have all of its log, which is looked for every second. After 5 s "
            "it is stale, and not searched.",
            Query(
                most(series("afterimage_replica_lag_seconds", _CHOSEN), by=["shard", "instance"]),
                "shard {{shard}} on {{instance}}",
            ),
        ),
        graph(
            "Copies by state",
            units.Short,
            "Copies of shards in each state. Only live ones are searched.",
            Query(total(series("afterimage_replica_state", _CHOSEN), by=["state"]), "{{state}}"),
            stacked=True,
        ),
        graph(
            "Copies that are live",
            units.PercentUnit,
            "Of the copies of each searcher. A searcher whose copies are not all live answers `not_ready`.",
            Query(
                f"{total(series('afterimage_replica_state', _LIVE), by=['instance'])} / "
                f"{total(series('afterimage_replica_state', _CHOSEN), by=['instance'])}",
                "{{instance}}",
            ),
            alert="ReplicaStale",
            line=1,
            below=True,
            top=1,
        ),
        graph(
            "Gaps by kind",
            units.Short,
            "Gaps found between a copy and its log. heard: a published batch was missed. overrun: more came than "
            "could wait. trimmed: the log in Redis begins later. tail: it ends later. A copy closes a gap by itself, "
            "from the log or from Kafka.",
            Query(increase("afterimage_replica_gaps_total", _CHOSEN, by=["kind"]), "{{kind}}"),
            bars=True,
        ),
        graph(
            "Gaps by searcher",
            units.CountsPerSecond,
            "Many of them mean that a searcher is slow to read, or that the log's window is too short.",
            Query(
                total(f"rate({series('afterimage_replica_gaps_total', _CHOSEN)}[10m])", by=["instance"]), "{{instance}}"
            ),
            alert="GapStorm",
        ),
        graph(
            "What copies could not read",
            units.Short,
            "Times that a copy could not go on: log is Redis, history is Kafka.",
            Query(increase("afterimage_replica_unavailable_total", _CHOSEN, by=["source"]), "{{source}}"),
            bars=True,
        ),
    ],
)

_sealing = Row(
    "Sealing and compaction",
    [
        graph(
            "Segments built",
            units.Short,
            "Segments that were sealed, merged ones among them.",
            Query(increase("afterimage_indexer_seal_seconds_count", by=["instance"]), "{{instance}}"),
            bars=True,
        ),
        graph(
            "Time to build a segment",
            units.Seconds,
            "In a process of its own; meanwhile the shard goes on.",
            *quantiles("afterimage_indexer_seal_seconds"),
        ),
        graph(
            "Age of the newest manifest",
            units.Seconds,
            "A copy that starts anew loads the newest manifest, and reads what came since. Nothing until this process "
            "has written one.",
            Query(
                most("time() - afterimage_indexer_manifest_timestamp_seconds", by=["shard"]),
                "shard {{shard}}",
            ),
            alert="ManifestOld",
            line=_MANIFEST_AGE_S,
        ),
        graph(
            "Offsets beyond the newest manifest",
            units.Short,
            "What a copy that starts anew has to read from the log or from Kafka.",
            Query(
                f"{most('afterimage_indexer_position', by=['shard'])} - "
                f"{most('afterimage_indexer_manifest_position', by=['shard'])}",
                "shard {{shard}}",
            ),
            alert="ManifestOld",
            line=_MANIFEST_OFFSETS,
        ),
        graph(
            "Compaction and failures",
            units.Short,
            "Segments that were merged into others, and times that a shard could not be sealed or published: the log "
            "of the indexer says why, and it tries again.",
            Query(increase("afterimage_indexer_merged_segments_total"), "merged"),
            Query(increase("afterimage_indexer_seal_failures_total"), "failed"),
            bars=True,
        ),
        graph(
            "Images expired",
            units.OpsPerSecond,
            "Images that were deleted because their retention was over. None without INDEXER_RETENTION.",
            Query(rate("afterimage_indexer_expired_total"), "expired"),
        ),
    ],
)

_recall = Row(
    "Recall",
    [
        graph(
            "Recall",
            units.PercentUnit,
            "Of the best hits that there are, the share that searches found: a few queries are repeated exactly. "
            "Nothing until there are sealed segments.",
            Query(series("afterimage_searcher_recall_at_k", _CHOSEN), "{{instance}}"),
            alert="RecallLow",
            below=True,
            top=1,
        ),
        graph(
            "Queries repeated exactly",
            units.OpsPerSecond,
            "measured: the recall was told from it. skipped: there was no time for it.",
            Query(rate("afterimage_searcher_recall_probes_total", _CHOSEN, by=["outcome"]), "{{outcome}}"),
        ),
        graph(
            "Effort",
            units.Short,
            "Candidates that a search in a graph keeps in view. It rises while searches find less than "
            "SEARCHER_RECALL_TARGET, and each query takes longer then.",
            Query(series("afterimage_searcher_effort", _CHOSEN), "{{instance}}"),
        ),
    ],
)

_bytes = Row(
    "Bytes and disks",
    [
        graph(
            "Bytes of the index",
            units.BytesIEC,
            "Bytes that all shards occupy on one searcher: the codes of the growing segments, in memory, and the "
            "files of the sealed ones, which are mapped into memory.",
            Query(
                total(series("afterimage_replica_memory_bytes", _CHOSEN), by=["instance"]), "growing on {{instance}}"
            ),
            Query(total(series("afterimage_replica_mapped_bytes", _CHOSEN), by=["instance"]), "sealed on {{instance}}"),
        ),
        graph(
            "Bytes in the store",
            units.BytesIEC,
            "Segments of the newest manifests and of those before them.",
            Query(most("afterimage_indexer_stored_bytes", by=["shard"]), "shard {{shard}}"),
            stacked=True,
        ),
        graph(
            "Disk left",
            units.PercentUnit,
            "Of the disk where segments are kept.",
            Query("afterimage_indexer_disk_free_bytes / afterimage_indexer_disk_bytes", "indexer {{instance}}"),
            Query(
                f"{series('afterimage_searcher_disk_free_bytes', _CHOSEN)} / "
                f"{series('afterimage_searcher_disk_bytes', _CHOSEN)}",
                "searcher {{instance}}",
            ),
            alert="DiskFull",
            below=True,
            top=1,
        ),
    ],
)

INDEX_BOARD = board(
    INDEX,
    "Afterimage: index and replication",
    "The shards, their log, their copies on the searchers, and the segments that they are made of.",
    _contents,
    _writing,
    _replication,
    _sealing,
    _recall,
    _bytes,
    variables=[instances("searcher", "afterimage_replica_position", "Whose copies are shown")],
)
