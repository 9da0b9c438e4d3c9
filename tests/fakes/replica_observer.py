"""Keeps what a replica reports."""

from shared.events.operations import OperationBatch
from shared.replication.replica import GapKind


class RecordingObserver:
    """Implements ReplicaObserver."""

    def __init__(self) -> None:
        self.gaps: list[GapKind] = []
        self.unavailable_sources: list[str] = []
        self.positions: list[tuple[int, bool]] = []

    def applied(self, shard: int, batch: OperationBatch, *, live: bool) -> None:
        self.positions.append((batch.position, live))

    def gap(self, shard: int, kind: GapKind) -> None:
        self.gaps.append(kind)

    def unavailable(self, shard: int, source: str) -> None:
        self.unavailable_sources.append(source)
