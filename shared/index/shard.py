"""A shard: the fold of one partition up to a position, under the rule that the highest upload offset wins."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
import numpy.typing as npt

from shared.events.images import SourcePosition
from shared.events.operations import Delete, Operation, Upsert
from shared.events.topics import DELETE_RETENTION_MS
from shared.index.checksum import LiveChecksum
from shared.index.filters.condition import Condition
from shared.index.growing import GrowingSegment
from shared.index.segment import Match, Row
from shared.index.vectors import VectorFormat

EMPTY_POSITION = -1


class Outcome(Enum):
    """What an operation did to the shard."""

    APPLIED = auto()
    STALE = auto()
    """A later upload event for the same id had won before: nothing changed."""
    FOREIGN = auto()
    """Its code belongs to another scheme, and vectors of different schemes never meet: nothing changed."""


@dataclass(frozen=True, slots=True)
class _Forgotten:
    source: SourcePosition
    deleted_at: int


class Shard:
    """One copy of a shard. Not thread-safe: use it from one thread at a time.

    position: the offset up to which the partition has been folded in; -1 before the first. scheme: that of the codes,
    set by the first upsert.
    """

    def __init__(self, vector_format: VectorFormat | None = None) -> None:
        self.position = EMPTY_POSITION
        self.scheme: str | None = None
        self._segment = GrowingSegment(vector_format or VectorFormat())
        self._checksum = LiveChecksum()
        self._deleted: dict[str, _Forgotten] = {}

    def __len__(self) -> int:
        return len(self._segment)

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._segment

    @property
    def checksum(self) -> str:
        """A 128-bit checksum of the live rows, in hex: equal copies at one position have equal ones."""
        return self._checksum.value

    @property
    def memory_bytes(self) -> int:
        return self._segment.memory_bytes

    def apply(self, operations: Iterable[Operation], *, position: int) -> list[Outcome]:
        """Fold operations in and move to `position`, which is at or beyond the last one's offset.

        The caller passes only operations beyond the present position, in order of their offsets.
        """
        outcomes = [self._apply(operation) for operation in operations]
        self.position = position
        return outcomes

    def search(
        self, code: bytes, k: int, *, min_score: float | None = None, condition: Condition | None = None
    ) -> list[Match]:
        """Find the `k` images nearest to `code` that the condition holds for, best first, equal scores by id.

        Raises ValueError where the code is not as long as those in the index.
        """
        if not len(self._segment):
            return []
        if len(code) != self._segment.code_bytes:
            raise ValueError(f"the query's code has {len(code)} bytes, those of the index {self._segment.code_bytes}")
        matches = self._nearest(np.frombuffer(code, np.uint8), k, condition)
        kept = [match for match in matches if min_score is None or match.score >= min_score]
        return sorted(kept, key=rank)[:k]

    def code_of(self, image_id: str) -> bytes:
        """Raises KeyError."""
        return self._segment.code(image_id)

    def knows(self, image_id: str) -> bool:
        """Whether anything holds for an id: that it has a row, or that it was deleted."""
        return image_id in self._segment or image_id in self._deleted

    def winner(self, image_id: str, *, offset: int) -> Operation:
        """Restate what holds for an id, as an operation at `offset`. Raises KeyError where nothing is known of it."""
        if image_id in self._segment:
            row = self._segment.row(image_id)
            return Upsert(
                offset=offset,
                id=image_id,
                source=row.source,
                uploaded_at=row.uploaded_at,
                code=self._segment.code(image_id),
                scheme=self.scheme or "",
                occurred_at=row.occurred_at,
                uri=row.uri,
                attributes=row.attributes,
            )
        deleted = self._deleted[image_id]
        return Delete(offset=offset, id=image_id, source=deleted.source, uploaded_at=deleted.deleted_at)

    def judge(self, operation: Operation) -> Outcome:
        """What the operation would do now, or did as seen from now."""
        known = self._source_of(operation.id)
        if known is not None and operation.source.offset < known.offset:
            return Outcome.STALE
        if isinstance(operation, Upsert) and not self._fits(operation):
            return Outcome.FOREIGN
        return Outcome.APPLIED

    def _nearest(self, query: npt.NDArray[np.uint8], k: int, condition: Condition | None) -> list[Match]:
        """The `k` nearest rows, and all that score like the last of them: which of those count is decided by id."""
        wanted = k
        while True:
            wanted += 1
            matches = self._segment.search(query, wanted, condition)
            if len(matches) < wanted or matches[-1].score < matches[k - 1].score:
                return matches
            wanted *= 2

    def _apply(self, operation: Operation) -> Outcome:
        outcome = self.judge(operation)
        if outcome is not Outcome.APPLIED:
            return outcome
        self._drop(operation.id)
        self._deleted.pop(operation.id, None)
        if isinstance(operation, Upsert):
            self._put(operation)
        else:
            self._remember(operation)
        return outcome

    def _source_of(self, image_id: str) -> SourcePosition | None:
        if image_id in self._segment:
            return self._segment.row(image_id).source
        deleted = self._deleted.get(image_id)
        return deleted.source if deleted else None

    def _fits(self, operation: Upsert) -> bool:
        code_bytes = self._segment.code_bytes or len(operation.code)
        return self.scheme in (None, operation.scheme) and 0 < len(operation.code) == code_bytes

    def _put(self, operation: Upsert) -> None:
        self.scheme = operation.scheme
        row = Row(
            id=operation.id,
            offset=operation.offset,
            source=operation.source,
            uploaded_at=operation.uploaded_at,
            occurred_at=operation.occurred_at,
            uri=operation.uri,
            attributes=operation.attributes,
        )
        self._segment.put(row, operation.code)
        self._checksum.add(row, operation.code)

    def _drop(self, image_id: str) -> None:
        if image_id in self._segment:
            self._checksum.subtract(self._segment.row(image_id), self._segment.code(image_id))
            self._segment.remove(image_id)

    def _remember(self, operation: Delete) -> None:
        """Keep deletes as long as Kafka does, by the clock of the log, so that all copies forget alike."""
        self._deleted[operation.id] = _Forgotten(operation.source, operation.uploaded_at)
        horizon = operation.uploaded_at - DELETE_RETENTION_MS
        while (oldest := next(iter(self._deleted))) != operation.id and self._deleted[oldest].deleted_at < horizon:
            del self._deleted[oldest]


def rank(match: Match) -> tuple[float, str]:
    """Sort key of a ranking: best score first, equal scores by id, so that all replicas rank alike."""
    return (-match.score, match.row.id)
