"""A shard: the fold of one partition up to a position, under the rule that the highest upload offset wins."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple, Self

import numpy as np

from shared.events.images import SourcePosition
from shared.events.operations import Delete, Operation, Upsert
from shared.events.topics import DELETE_RETENTION_MS
from shared.index.checksum import LiveChecksum
from shared.index.contents import Deleted, SealedPart, ShardContents
from shared.index.filters.condition import Condition
from shared.index.growing import GrowingSegment
from shared.index.nearest import search_segments
from shared.index.query import OtherScheme, Query
from shared.index.recall import SegmentSample, sample_segment
from shared.index.sealed.segment import SealedSegment
from shared.index.segment import Match, Row, Segment, SegmentSearched
from shared.index.statistics import ShardStatistics
from shared.index.vectors import VectorFormat

EMPTY_POSITION = -1


class Outcome(Enum):
    """What an operation did to the shard."""

    APPLIED = auto()
    STALE = auto()
    """A later upload event for the same id had won before: nothing changed."""
    FOREIGN = auto()
    """Its code belongs to another scheme, and vectors of different schemes never meet: nothing changed."""


class RowsLost(Exception):
    """Segments cannot be exchanged for others: a row that is current is in none of those. Nothing changed."""


class _Place(NamedTuple):
    segment: Segment
    number: int


@dataclass(frozen=True, slots=True)
class _Forgotten:
    source: SourcePosition
    deleted_at: int


class Shard:
    """One copy of a shard: a growing segment that takes all changes, and sealed ones in which rows only die.

    Not thread-safe: use it from one thread at a time.

    position: the offset up to which the partition has been folded in; -1 before the first. restored_from: the position
    at which it was restored; -1 where it was not. scheme: that of the codes of all rows, set by the first; None where
    there is no row, whatever there was before: Kafka forgets that, and with it whoever rebuilds the shard.
    newest_upload_at: of all uploads that were put, in Unix milliseconds; 0 before the first.
    """

    def __init__(self, vector_format: VectorFormat | None = None) -> None:
        self.position = EMPTY_POSITION
        self.restored_from = EMPTY_POSITION
        self.scheme: str | None = None
        self.newest_upload_at = 0
        self._code_bytes: int | None = None
        self._format = vector_format or VectorFormat()
        self._growing = GrowingSegment(self._format)
        self._sealed: dict[str, SealedSegment] = {}
        self._checksum = LiveChecksum()
        self._deleted: dict[str, _Forgotten] = {}

    @classmethod
    def restored(
        cls, contents: ShardContents, sealed: Iterable[SealedSegment], vector_format: VectorFormat | None = None
    ) -> Self:
        """The shard whose contents were those, from its sealed segments, opened: it has no growing rows."""
        shard = cls(vector_format)
        shard.position = shard.restored_from = contents.position
        shard.scheme = contents.scheme
        shard._code_bytes = contents.code_bytes
        shard._checksum = LiveChecksum(contents.checksum)
        shard._deleted = {each.id: _Forgotten(each.source, each.deleted_at) for each in contents.deleted}
        for segment in sealed:
            segment.set_live(contents.sealed[segment.name].live)
            shard._sealed[segment.name] = segment
        shard.newest_upload_at = max((segment.newest_upload_at for segment in shard._sealed.values()), default=0)
        shard._forget_the_scheme_of_no_rows()
        return shard

    def __len__(self) -> int:
        return sum(map(len, self._segments()))

    def __contains__(self, image_id: str) -> bool:
        return self._find(image_id) is not None

    @property
    def checksum(self) -> str:
        """A 128-bit checksum of the live rows, in hex: equal copies at one position have equal ones."""
        return self._checksum.value

    @property
    def statistics(self) -> ShardStatistics:
        return ShardStatistics(
            rows=len(self),
            dead_rows=sum(segment.dead_rows for segment in self._segments()),
            segments=len(self._sealed),
            memory_bytes=self._growing.memory_bytes,
            mapped_bytes=sum(segment.memory_bytes for segment in self._sealed.values()),
        )

    @property
    def growing_rows(self) -> int:
        return len(self._growing)

    @property
    def sealed(self) -> Mapping[str, SealedSegment]:
        """The sealed segments by name: to look at."""
        return self._sealed

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
        """Find the `k` images nearest to `code` that the condition holds for: see `search_all`."""
        [matches] = self.search_all([Query(code=code, k=k, min_score=min_score, condition=condition)])
        return matches

    def search_all(self, queries: Sequence[Query]) -> list[list[Match]]:
        """Return the matches of each query, best first, equal scores by id.

        Queries that differ in nothing but their codes take less time together than one after the other. Raises
        OtherScheme, and ValueError where a code is not as long as those in the index.
        """
        segments = [segment for segment in self._segments() if len(segment)]
        if not segments:
            return [[] for _ in queries]
        for query in queries:
            self._check(query)
        return search_segments(segments, queries)

    def explain(self, query: Query) -> list[SegmentSearched]:
        """Search once more, and say what was done in each segment that has rows. Raises as `search_all` does."""
        code = np.frombuffer(query.code, np.uint8)[np.newaxis]
        explained = []
        for name, segment in zip(["", *self._sealed], self._segments(), strict=True):
            if len(segment):
                self._check(query)
                [ranking] = segment.nearest(code, query.wanted, query.condition, exact=query.exact, effort=query.effort)
                explained.append(SegmentSearched(name, len(segment), ranking.walked, ranking.compared))
        return explained

    def sample(self, query: Query) -> Iterator[SegmentSample]:
        """Search once more, and keep what an exact search of the same rows needs. Raises as `search_all` does."""
        code = np.frombuffer(query.code, np.uint8)[np.newaxis]
        for segment in self._segments():
            if len(segment):
                self._check(query)
                yield sample_segment(segment, code, query)

    def code_of(self, image_id: str) -> bytes:
        """Raises KeyError."""
        place = self._find(image_id)
        if place is None:
            raise KeyError(image_id)
        return place.segment.code_at(place.number)

    def query_of(self, image_id: str) -> bytes:
        """Return what a query for images like an indexed one brings. Raises KeyError."""
        return self._format.query_of(self.code_of(image_id))

    def older_than(self, moment_ms: float, limit: int) -> list[Row]:
        """Return rows of before a moment, by the date that `Row` tells of: as many as there are up to `limit`."""
        found: list[Row] = []
        for segment in self._segments():
            found += segment.older_than(moment_ms, limit - len(found))
            if len(found) == limit:
                break
        return found

    def knows(self, image_id: str) -> bool:
        """Whether anything holds for an id: that it has a row, or that it was deleted."""
        return image_id in self or image_id in self._deleted

    def winner(self, image_id: str, *, offset: int) -> Operation:
        """Restate what holds for an id, as an operation at `offset`. Raises KeyError where nothing is known of it."""
        place = self._find(image_id)
        if place is not None:
            row = place.segment.row_at(place.number)
            return Upsert(
                offset=offset,
                id=image_id,
                source=row.source,
                uploaded_at=row.uploaded_at,
                code=place.segment.code_at(place.number),
                scheme=self.scheme or "",
                occurred_at=row.occurred_at,
                uri=row.uri,
                attributes=row.attributes,
            )
        deleted = self._deleted[image_id]
        return Delete(offset=offset, id=image_id, source=deleted.source, uploaded_at=deleted.deleted_at)

    def judge(self, operation: Operation) -> Outcome:
        """What the operation would do now, or did as seen from now."""
        place = self._find(operation.id)
        return self._judge(operation, place.segment.row_at(place.number) if place else None)

    def contents(self) -> ShardContents:
        """What the shard holds now, to be sealed and described in a manifest. Later changes do not show in it."""
        rows, codes = self._growing.live_rows()
        return ShardContents(
            position=self.position,
            scheme=self.scheme,
            code_bytes=self._code_bytes,
            checksum=self.checksum,
            deleted=[Deleted(image_id, gone.source, gone.deleted_at) for image_id, gone in self._deleted.items()],
            sealed={
                name: SealedPart(description=segment.description, live=segment.live)
                for name, segment in self._sealed.items()
            },
            rows=rows,
            codes=codes,
        )

    def exchange(self, added: Sequence[SealedSegment], *, dropped: Collection[str]) -> None:
        """Take in sealed segments, for the same rows in the growing segment and in the `dropped` ones.

        Of the rows that come, those are live that are live here: nothing that was deleted or replaced since they were
        sealed comes back, whoever sealed them. A row that comes twice is live in the first of the segments: whoever
        took one over before it had heard of all its rows has sealed those again. What the shard holds does not change.
        Raises RowsLost.
        """
        leaving = [segment for name, segment in self._sealed.items() if name in dropped]
        must_move = np.concatenate([np.empty(0, np.int64), *(segment.live_offsets() for segment in leaving)])
        current = np.concatenate([self._growing.live_offsets(), must_move])
        masks = []
        for segment in added:
            masks.append(np.isin(segment.offsets, current, assume_unique=True))
            current = current[~np.isin(current, segment.offsets, assume_unique=True)]
        coming = (segment.offsets[mask] for segment, mask in zip(added, masks, strict=True))
        moved = np.concatenate([np.empty(0, np.int64), *coming])
        if lost := np.count_nonzero(~np.isin(must_move, moved, assume_unique=True)):
            raise RowsLost(f"{lost} rows of the segments {sorted(dropped)} are in none of those that come")
        for segment, mask in zip(added, masks, strict=True):
            segment.set_live(mask)
        staying = {name: segment for name, segment in self._sealed.items() if name not in dropped}
        # A new dictionary, because another thread may be counting the rows in the old one.
        self._sealed = staying | {segment.name: segment for segment in added}
        self._growing.remove_all(moved)

    def _check(self, query: Query) -> None:
        if query.scheme and self.scheme and query.scheme != self.scheme:
            raise OtherScheme(self.scheme)
        wanted = self._format.query_bytes(self._code_bytes or 0)
        if len(query.code) != wanted:
            raise ValueError(f"the query's code has {len(query.code)} bytes, and this index compares {wanted}")

    def _segments(self) -> Iterator[Segment]:
        yield self._growing
        yield from self._sealed.values()

    def _find(self, image_id: str) -> _Place | None:
        """Where the live row of that id is; there is at most one."""
        for segment in self._segments():
            if (number := segment.find(image_id)) is not None:
                return _Place(segment, number)
        return None

    def _apply(self, operation: Operation) -> Outcome:
        place = self._find(operation.id)
        row = place.segment.row_at(place.number) if place else None
        outcome = self._judge(operation, row)
        if outcome is not Outcome.APPLIED:
            return outcome
        if place and row:
            self._checksum.subtract(row, place.segment.code_at(place.number))
            place.segment.remove_at(place.number)
        self._deleted.pop(operation.id, None)
        if isinstance(operation, Upsert):
            self._put(operation)
        else:
            self._remember(operation)
            self._forget_the_scheme_of_no_rows()
        return outcome

    def _judge(self, operation: Operation, row: Row | None) -> Outcome:
        """row: the live one of the operation's id."""
        known = row or self._deleted.get(operation.id)
        if known is not None and operation.source.offset < known.source.offset:
            return Outcome.STALE
        if isinstance(operation, Upsert) and not self._fits(operation):
            return Outcome.FOREIGN
        return Outcome.APPLIED

    def _fits(self, operation: Upsert) -> bool:
        code_bytes = self._code_bytes or len(operation.code)
        return self.scheme in (None, operation.scheme) and 0 < len(operation.code) == code_bytes

    def _forget_the_scheme_of_no_rows(self) -> None:
        if not len(self):
            self.scheme = self._code_bytes = None

    def _put(self, operation: Upsert) -> None:
        self.scheme = operation.scheme
        self.newest_upload_at = max(self.newest_upload_at, operation.uploaded_at)
        self._code_bytes = len(operation.code)
        row = Row(
            id=operation.id,
            offset=operation.offset,
            source=operation.source,
            uploaded_at=operation.uploaded_at,
            occurred_at=operation.occurred_at,
            uri=operation.uri,
            attributes=operation.attributes,
        )
        self._growing.put(row, operation.code)
        self._checksum.add(row, operation.code)

    def _remember(self, operation: Delete) -> None:
        """Keep deletes as long as Kafka does, by the clock of the log, so that all copies forget alike.

        That clock stands still where the records' own goes back: else a delete could be forgotten as soon as it came.
        """
        newest = next(reversed(self._deleted.values()), None)
        now = max(operation.uploaded_at, newest.deleted_at if newest else operation.uploaded_at)
        self._deleted[operation.id] = _Forgotten(operation.source, now)
        horizon = now - DELETE_RETENTION_MS
        while (oldest := next(iter(self._deleted))) != operation.id and self._deleted[oldest].deleted_at < horizon:
            del self._deleted[oldest]
