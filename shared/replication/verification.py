"""Holding what replicas say of themselves against the truth: the fold of Kafka at the very same position."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from shared.index.shard import EMPTY_POSITION, Shard
from shared.replication.directory import ReplicaReport
from shared.replication.replica import History

_KEPT_POSITIONS = 100_000


class Verdict(StrEnum):
    SAME = "same"
    DIFFERS = "differs"
    TOO_OLD = "too far behind to compare"
    AHEAD = "beyond the end of Kafka"
    """It holds what Kafka does not have: the topic lost records, or was replaced."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a shard holds at one position. checksum: of its live rows, in hex."""

    rows: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Verified:
    """expected: what Kafka comes to at the position of the copy; None where that cannot be told."""

    shard: int
    copy: ReplicaReport
    verdict: Verdict
    expected: Content | None


class Truth:
    """The fold of one shard from Kafka alone, which remembers what it came to after each of its last operations.

    progress: called with each position that was reached.
    """

    def __init__(
        self, shard: int, history: History, *, incarnation: str, progress: Callable[[int], None] = lambda _: None
    ) -> None:
        self._shard = shard
        self._history = history
        self._incarnation = incarnation
        self._progress = progress
        self._fold = Shard()
        self._offsets = [EMPTY_POSITION]
        self._contents = [Content(0, self._fold.checksum)]

    async def read_on(self) -> None:
        """Fold what Kafka has beyond the position, to its present end. Raises HistoryUnavailable."""
        async for batch in self._history.read(self._shard, after=self._fold.position, incarnation=self._incarnation):
            for operation in batch.operations:
                self._fold.apply([operation], position=operation.offset)
                self._offsets.append(operation.offset)
                self._contents.append(Content(len(self._fold), self._fold.checksum))
            self._fold.apply([], position=batch.position)
            del self._offsets[:-_KEPT_POSITIONS], self._contents[:-_KEPT_POSITIONS]
            self._progress(batch.position)

    def judge(self, copy: ReplicaReport) -> Verified:
        """Compare a copy, which reported before the last `read_on`."""
        if copy.position > self._fold.position:
            return Verified(self._shard, copy, Verdict.AHEAD, None)
        at = bisect_right(self._offsets, copy.position) - 1
        if at < 0:
            return Verified(self._shard, copy, Verdict.TOO_OLD, None)
        expected = self._contents[at]
        same = expected == Content(copy.rows, copy.checksum)
        return Verified(self._shard, copy, Verdict.SAME if same else Verdict.DIFFERS, expected)
