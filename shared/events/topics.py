"""The topics, their names and their settings, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass

COMPACTION_LAG_MS = 24 * 3600 * 1000
"""How long a superseded record stays readable, so that a stale one written late can still be overruled."""

DELETE_RETENTION_MS = 7 * 24 * 3600 * 1000
"""How long a delete is remembered."""

CLOCKS_DIFFER_MS = 24 * 3600 * 1000
"""How far two clocks may be apart, and every promise still be kept."""

RECEIPTS_KEPT_MS = 3600 * 1000
"""How long it can be read what became of an upload that took effect."""

DELETES_TOLD_MS = DELETE_RETENTION_MS - CLOCKS_DIFFER_MS
"""What is younger than this by any clock is younger than the memory of deletes: a manifest that is older must not be
loaded, nor an upload event that is older be sent through again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    name: str
    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of this deployment's topics.

    namespace: put before every name, with a dot, so that several deployments can share one cluster; empty for none.
    """

    namespace: str = ""

    def _name(self, base: str) -> str:
        return f"{self.namespace}.{base}" if self.namespace else base

    @property
    def uploaded(self) -> str:
        return self._name("images.uploaded")

    @property
    def features(self) -> str:
        return self._name("images.features")

    @property
    def rejected(self) -> str:
        return self._name("images.rejected")

    @property
    def indexed(self) -> str:
        return self._name("images.indexed")

    @property
    def requests(self) -> str:
        return self._name("search.requests")

    @property
    def replies(self) -> str:
        return self._name("search.replies")

    def group(self, worker: str) -> str:
        """The consumer group of a kind of worker, such as ``extractor``."""
        return self._name(f"afterimage.{worker}")

    def pipeline(self) -> frozenset[str]:
        """The topics that only the workers write to: a reply is never sent to one of them."""
        return frozenset({self.uploaded, self.features, self.rejected, self.indexed, self.requests})

    def specs(self, partitions: int) -> tuple[TopicSpec, ...]:
        """What to create. `partitions` is the number of shards; it is fixed for the life of the topics."""
        # The broker's clock counts: those of whoever writes jump, and records dated long ago are removed at once.
        dated = {"message.timestamp.type": "LogAppendTime"}
        week = {"cleanup.policy": "delete", "retention.ms": str(DELETE_RETENTION_MS)}
        hour = {"cleanup.policy": "delete", "retention.ms": str(RECEIPTS_KEPT_MS), **dated}
        # A redriven event keeps its time, so here it is the producers' clocks: too wrong ones are told so.
        honest = {
            "message.timestamp.before.max.ms": str(DELETE_RETENTION_MS),
            "message.timestamp.after.max.ms": str(CLOCKS_DIFFER_MS),
        }
        compacted = {
            "cleanup.policy": "compact",
            "min.compaction.lag.ms": str(COMPACTION_LAG_MS),
            "delete.retention.ms": str(DELETE_RETENTION_MS),
            **dated,
        }
        return (
            TopicSpec(name=self.uploaded, partitions=partitions, config=week | honest),
            TopicSpec(name=self.features, partitions=partitions, config=compacted),
            TopicSpec(name=self.rejected, partitions=partitions, config=week | dated),
            TopicSpec(name=self.indexed, partitions=partitions, config=hour),
            TopicSpec(name=self.requests, partitions=partitions, config=hour),
            TopicSpec(name=self.replies, partitions=partitions, config=hour),
        )
