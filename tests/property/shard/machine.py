"""The machine: every rule does the same to the shard and to the model, and compares what they say of it."""

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.events.images import Attributes
from shared.events.operations import Delete, Operation, Upsert
from shared.events.topics import DELETE_RETENTION_MS
from shared.index.checksum import LiveChecksum
from shared.index.filters.syntax import parse_filter
from shared.index.query import Query
from shared.index.sealed.description import SegmentDescription
from shared.index.sealed.segment import EXPANSION_SEARCH, SealedSegment
from shared.index.sealed.way import Way
from shared.index.sealed.writing import write_segment
from shared.index.shard import Outcome, RowsLost, Shard
from shared.index.vectors import VectorFormat
from tests.fakes.operations import SCHEME, delete, upsert
from tests.fakes.scratch import SCRATCH
from tests.property.shard.filters import ATTRIBUTES, FILTERS, Filter
from tests.property.shard.model import Model

ALL_IDS = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu")
IDS = st.sampled_from(ALL_IDS)
NUMBERS = st.tuples(*[st.integers(-3, 3)] * 4).filter(any)
"""Few and small: equal vectors, and unequal ones of equal scores, come often. A code is never all zeros."""
SOURCES = st.integers(0, 40)
TIMES = st.integers(0, 30)
AGES = st.sampled_from([0, 1, *(DELETE_RETENTION_MS * n // 2 for n in (-8, -1, 1, 2, 4))])
"""Clocks go back, too."""
OTHER_SCHEME = "scheme-b"
TOLERANCE = 1e-5


class GraphSearched(SealedSegment):
    """Walks the graph where so few rows would be compared one by one."""

    def __init__(self, folder: Path, description: SegmentDescription, *, expansion: int = EXPANSION_SEARCH) -> None:
        super().__init__(folder, description, expansion=expansion)
        self._way = Walk(description.rows)


class Walk(Way):
    """As far as it takes."""

    def walk_pays(self, candidates: int, count: int) -> bool:
        return count > 0

    def budget(self, count: int) -> int:
        return sys.maxsize


class ShardMachine(RuleBasedStateMachine):
    vector_format = VectorFormat()

    def __init__(self) -> None:
        super().__init__()
        self.shard = Shard(self.vector_format)
        self.model = Model(self.vector_format)
        self.now_ms = 0
        self.folder = TemporaryDirectory(dir=SCRATCH)

    def teardown(self) -> None:
        self.folder.cleanup()

    def open(self, description: SegmentDescription, *, by_graph: bool) -> SealedSegment:
        kind = GraphSearched if by_graph else SealedSegment
        return kind.open(Path(self.folder.name) / description.name, description)

    def code(self, numbers: tuple[int, ...]) -> bytes:
        return np.array(numbers, self.vector_format.dtype).tobytes()

    def query(self, numbers: tuple[int, ...]) -> bytes:
        return self.vector_format.query_of(self.code(numbers))

    def apply(self, operation: Operation) -> None:
        self.model.offset = operation.offset
        judged = self.shard.judge(operation)
        expected = self.model.apply(operation)
        assert judged is expected
        assert self.shard.apply([operation], position=operation.offset) == [expected]

    # What changes the shard

    @initialize(numbers=NUMBERS, first=st.lists(st.tuples(IDS, NUMBERS), max_size=7), by_graph=st.booleans())
    def begin_with_a_sealed_segment(
        self, numbers: tuple[int, ...], first: list[tuple[str, tuple[int, ...]]], by_graph: bool
    ) -> None:
        assert self.shard.search(self.query(numbers), 3) == []
        for image_id, of in first:
            self.put(image_id, 0, of, {}, None)
        self._seal([], by_graph, [])

    @rule(image_id=IDS, source=SOURCES, numbers=NUMBERS, attributes=ATTRIBUTES, occurred_at=st.none() | TIMES)
    def put(
        self, image_id: str, source: int, numbers: tuple[int, ...], attributes: Attributes, occurred_at: int | None
    ) -> None:
        self.apply(
            upsert(
                self.model.offset + 1,
                image_id,
                source=source,
                of=self.code(numbers),
                attributes=attributes,
                uploaded_at=source,
                occurred_at=occurred_at,
            )
        )

    @rule(image_id=IDS, source=SOURCES, numbers=NUMBERS)
    def put_under_another_scheme(self, image_id: str, source: int, numbers: tuple[int, ...]) -> None:
        self.apply(upsert(self.model.offset + 1, image_id, source=source, of=self.code(numbers), scheme=OTHER_SCHEME))

    @precondition(lambda self: self.model.scheme is not None)
    @rule(image_id=IDS, source=SOURCES, length=st.sampled_from([0, 3, 20]))
    def put_a_code_of_another_length(self, image_id: str, source: int, length: int) -> None:
        known = upsert(self.model.offset + 1, image_id, source=source, scheme=self.model.scheme or SCHEME)
        alien = Upsert(
            offset=known.offset,
            id=known.id,
            source=known.source,
            uploaded_at=known.uploaded_at,
            code=bytes(length),
            scheme=known.scheme,
        )
        self.apply(alien)

    @rule(image_id=IDS, source=SOURCES, after_ms=AGES)
    def remove(self, image_id: str, source: int, after_ms: int) -> None:
        self.now_ms += after_ms
        self.apply(delete(self.model.offset + 1, image_id, source=source, at=self.now_ms))

    @rule(offsets=st.integers(1, 5))
    def pass_offsets_that_hold_nothing(self, offsets: int) -> None:
        self.model.offset += offsets
        self.shard.apply([], position=self.model.offset)

    # What changes nothing that the shard says

    @rule(
        data=st.data(),
        by_graph=st.booleans(),
        meanwhile=st.lists(st.tuples(IDS, SOURCES, st.none() | NUMBERS), max_size=3),
    )
    def seal(
        self, data: st.DataObject, by_graph: bool, meanwhile: list[tuple[str, int, tuple[int, ...] | None]]
    ) -> None:
        """Write the growing rows and some sealed segments into one segment, while the shard goes on changing."""
        names = sorted(self.shard.sealed)
        self._seal(data.draw(st.lists(st.sampled_from(names), unique=True)) if names else [], by_graph, meanwhile)

    def _seal(
        self, merged: list[str], by_graph: bool, meanwhile: list[tuple[str, int, tuple[int, ...] | None]]
    ) -> None:
        contents = self.shard.contents()
        parts = [(contents.rows, contents.codes), *(self.shard.sealed[name].live_rows() for name in merged)]
        rows = [(row, code) for part_rows, codes in parts for row, code in zip(part_rows, codes, strict=True)]
        if not rows:
            return
        rows.sort(key=lambda pair: pair[0].offset)
        description = write_segment(
            Path(self.folder.name),
            [row for row, _ in rows],
            np.array([code for _, code in rows]),
            scheme=contents.scheme or "",
            vector_format=self.vector_format,
        )
        for image_id, source, numbers in meanwhile:
            if numbers is None:
                self.remove(image_id, source, 0)
            else:
                self.put(image_id, source, numbers, {}, None)
        self.shard.exchange([self.open(description, by_graph=by_graph)], dropped=merged)
        assert self.shard.sealed.keys() == contents.sealed.keys() - {*merged} | {description.name}

    @precondition(lambda self: self.shard.sealed)
    @rule(data=st.data())
    def drop_a_segment(self, data: st.DataObject) -> None:
        """It goes where no row of it is current, and stays whole where one is."""
        name = data.draw(st.sampled_from(sorted(self.shard.sealed)))
        if len(self.shard.sealed[name]):
            with pytest.raises(RowsLost):
                self.shard.exchange([], dropped=[name])
            assert name in self.shard.sealed
        else:
            self.shard.exchange([], dropped=[name])
            assert name not in self.shard.sealed

    @rule(by_graph=st.booleans())
    def reopen(self, by_graph: bool) -> None:
        """Restore the sealed part from its files, and fold in again what is in no segment."""
        contents = self.shard.contents()
        segments = [self.open(part.description, by_graph=by_graph) for part in contents.sealed.values()]
        unsealed = [self.model.live[row.id] for row in contents.rows]
        assert [each.offset for each in unsealed] == [row.offset for row in contents.rows]
        checksum = LiveChecksum(contents.checksum)
        for row, code in zip(contents.rows, contents.codes, strict=True):
            checksum.subtract(row, bytes(code))
        self.shard = Shard.restored(replace(contents, checksum=checksum.value), segments, self.vector_format)
        self.shard.apply(unsealed, position=self.model.offset)

    @rule(read=st.integers(0, 30), by_graph=st.booleans())
    def replace_by_a_copy_that_was_behind(self, read: int, by_graph: bool) -> None:
        """It takes over segments with rows that it has not heard of, or that it is yet to lose, and then reads on."""
        copy = Shard(self.vector_format)
        before, after = self.model.operations[:read], self.model.operations[read:]
        copy.apply(before, position=before[-1].offset if before else -1)
        copy.exchange(
            [self.open(segment.description, by_graph=by_graph) for segment in self.shard.sealed.values()], dropped=[]
        )
        copy.apply(after, position=self.model.offset)
        assert copy.checksum == self.shard.checksum
        self.shard = copy

    # What the shard says

    @rule(numbers=NUMBERS, k=st.integers(1, 8))
    def search(self, numbers: tuple[int, ...], k: int) -> None:
        query = self.query(numbers)
        live = self.model.live
        everything = self.shard.search(query, len(live) + 1)
        assert {match.row.id for match in everything} == live.keys()
        for match in everything:
            assert abs(match.score - self.model.similarity(query, live[match.row.id].code)) < TOLERANCE
            assert match.row.attributes == live[match.row.id].attributes
        assert everything == sorted(everything, key=lambda match: (-match.score, match.row.id))
        assert self.shard.search(query, k) == everything[:k]

    @rule(
        all_numbers=st.lists(NUMBERS, min_size=1, max_size=3),
        k=st.integers(1, 8),
        filter_=st.none() | FILTERS,
        bound=st.integers(0, 6),
        exclude=st.frozensets(IDS, max_size=2),
        exact=st.booleans(),
    )
    def search_within(
        self,
        all_numbers: list[tuple[int, ...]],
        k: int,
        filter_: Filter | None,
        bound: int,
        exclude: frozenset[str],
        exact: bool,
    ) -> None:
        """Several queries together: by a filter, without some ids, within the score of one of the hits, or none."""
        condition = parse_filter(filter_.json) if filter_ else None
        queries, expected = [], []
        for query in map(self.query, all_numbers):
            everything = self.shard.search(query, len(self.model.live) + 1)
            least = everything[bound].score if bound < len(everything) else None
            queries.append(Query(code=query, k=k, min_score=least, condition=condition, exclude=exclude, exact=exact))
            fit = [
                match
                for match in everything
                if (filter_ is None or filter_.holds(self.model.live[match.row.id]))
                and (least is None or match.score >= least)
                and match.row.id not in exclude
            ]
            expected.append(fit[:k])
        assert self.shard.search_all(queries) == expected

    @rule(moment=TIMES, limit=st.integers(1, 8))
    def ask_for_what_is_old(self, moment: int, limit: int) -> None:
        old = {image_id for image_id, upsert in self.model.live.items() if _date(upsert) < moment}
        found = [row.id for row in self.shard.older_than(moment, limit)]
        assert len(found) == len(set(found)) == min(limit, len(old))
        assert old.issuperset(found)

    @invariant()
    def it_finds_what_the_model_holds(self) -> None:
        found = self.shard.search(self.query((1, 2, 3, -1)), len(self.model.live) + 1)
        assert sorted(match.row.id for match in found) == sorted(self.model.live)

    @invariant()
    def it_stands_where_the_model_stands(self) -> None:
        assert self.shard.position == self.model.offset
        assert self.shard.scheme == self.model.scheme
        assert len(self.shard) == self.shard.statistics.rows == len(self.model.live)
        assert self.shard.statistics.segments == len(self.shard.sealed)

    @invariant()
    def it_holds_what_the_model_holds(self) -> None:
        for image_id in ALL_IDS:
            assert (image_id in self.shard) == (image_id in self.model.live)
            assert self.shard.knows(image_id) == (image_id in self.model.live or image_id in self.model.gone)
            if image_id in self.model.live:
                assert self.shard.code_of(image_id) == self.model.live[image_id].code

    @invariant()
    def it_restates_the_winners(self) -> None:
        for image_id, winner in self.model.live.items():
            assert self.shard.winner(image_id, offset=winner.offset) == winner
        for image_id, gone in self.model.gone.items():
            restated = self.shard.winner(image_id, offset=7)
            assert isinstance(restated, Delete)
            assert (restated.source.offset, restated.uploaded_at) == (gone.source, gone.at)

    @invariant()
    def its_checksum_is_that_of_the_winners_alone_in_any_order(self) -> None:
        winners = sorted(self.model.live.values(), key=lambda winner: winner.id, reverse=True)
        rebuilt = Shard(self.vector_format)
        assert set(rebuilt.apply(winners, position=self.model.offset)) <= {Outcome.APPLIED}
        assert rebuilt.checksum == self.shard.checksum


def _date(upsert: Upsert) -> int:
    return upsert.uploaded_at if upsert.occurred_at is None else min(upsert.occurred_at, upsert.uploaded_at)
