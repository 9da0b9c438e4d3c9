"""The size of this process's copy of each shard, as gauges: the same of an indexer's and of a searcher's."""

from contextlib import suppress

from prometheus_client import CollectorRegistry, Gauge

from shared.index.statistics import ShardStatistics

_HELP = {
    "rows": "Images in the copy of a shard",
    "dead_rows": "Rows in the copy of a shard that were replaced or deleted and still take room",
    "segments": "Sealed segments in the copy of a shard",
    "memory_bytes": "Bytes of memory that the codes of a shard's growing segment occupy",
    "mapped_bytes": "Bytes of a shard's sealed, mapped files",
}


class ShardGauges:
    """prefix: what their names begin with; the rest are those of ShardStatistics."""

    def __init__(self, prefix: str, registry: CollectorRegistry) -> None:
        self._gauges = {
            field: Gauge(f"{prefix}_{field}", text, ["shard"], registry=registry) for field, text in _HELP.items()
        }

    def describe(self, shard: int, statistics: ShardStatistics) -> None:
        for field, gauge in self._gauges.items():
            gauge.labels(str(shard)).set(getattr(statistics, field))

    def forget(self, shard: int) -> None:
        """Show nothing more of a shard that went to another process."""
        for gauge in self._gauges.values():
            forget(gauge, shard)


def forget(gauge: Gauge, shard: int) -> None:
    with suppress(KeyError):  # it was not shown yet
        gauge.remove(str(shard))
