"""The shard against a model that is too simple to be wrong: a dictionary, and the cosine as it is defined."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.events.operations import Delete, Operation, Upsert
from shared.events.topics import DELETE_RETENTION_MS
from shared.index.checksum import LiveChecksum
from shared.index.filters.condition import matches
from shared.index.filters.syntax import parse_filter
from shared.index.sealed.description import SegmentDescription
from shared.index.sealed.segment import SealedSegment
from shared.index.sealed.writing import write_segment
from shared.index.shard import EMPTY_POSITION, Outcome, Shard
from shared.index.vectors import VectorFormat
from tests.fakes.operations import SCHEME, delete, upsert

IDS = st.sampled_from(["ant", "bee", "cat", "dog", "eel", "fox", "gnu"])
NUMBERS = st.tuples(*[st.integers(-3, 3)] * 4).filter(any)
"""Few and small: equal vectors, and unequal ones of equal scores, come often. A code is never all zeros."""
SOURCES = st.integers(0, 40)
AGES = st.sampled_from([0, 1, *(DELETE_RETENTION_MS * n // 2 for n in (-8, -1, 1, 2, 4))])
"""Clocks go back, too."""
OTHER_SCHEME = "scheme-b"
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Gone:
    source: int
    at: int


class GraphSearched(SealedSegment):
    """Searches the graph where so few rows would be compared one by one."""

    def better_alone(self, count: int, reach: int) -> bool:
        return False


class ShardMachine(RuleBasedStateMachine):
    """Every rule does the same to both, and compares what they say of it.

    The model knows nothing of segments: whatever is sealed, merged, exchanged or reopened, nothing it says may change.
    """

    vector_format = VectorFormat()

    def __init__(self) -> None:
        super().__init__()
        self.shard = Shard(self.vector_format)
        self.live: dict[str, Upsert] = {}
        self.gone: dict[str, Gone] = {}
        self.scheme: str | None = None
        self.offset = EMPTY_POSITION
        self.now_ms = 0
        self.folder = TemporaryDirectory()

    def teardown(self) -> None:
        self.folder.cleanup()

    def open(self, description: SegmentDescription) -> SealedSegment:
        return GraphSearched.open(Path(self.folder.name) / description.name, description)

    def code(self, numbers: tuple[int, ...]) -> bytes:
        return np.array(numbers, self.vector_format.dtype).tobytes()

    def known_source(self, image_id: str) -> int:
        if image_id in self.live:
            return self.live[image_id].source.offset
        return self.gone[image_id].source if image_id in self.gone else -1

    def expected(self, operation: Operation) -> Outcome:
        if operation.source.offset < self.known_source(operation.id):
            return Outcome.STALE
        if isinstance(operation, Upsert) and self.scheme not in (None, operation.scheme):
            return Outcome.FOREIGN
        return Outcome.APPLIED

    def apply(self, operation: Operation) -> None:
        expected = self.expected(operation)
        assert self.shard.judge(operation) is expected
        assert self.shard.apply([operation], position=self.offset) == [expected]
        if expected is not Outcome.APPLIED:
            return
        self.live.pop(operation.id, None)
        self.gone.pop(operation.id, None)
        if isinstance(operation, Upsert):
            self.scheme = operation.scheme
            self.live[operation.id] = operation
        else:
            now = max([operation.uploaded_at, *(gone.at for gone in self.gone.values())])
            self.gone = {image_id: gone for image_id, gone in self.gone.items() if gone.at >= now - DELETE_RETENTION_MS}
            self.gone[operation.id] = Gone(operation.source.offset, now)

    @initialize(numbers=NUMBERS)
    def nothing_matches_in_an_empty_shard(self, numbers: tuple[int, ...]) -> None:
        assert self.shard.search(self.code(numbers), 3) == []

    @rule(image_id=IDS, source=SOURCES, numbers=NUMBERS, price=st.integers(0, 2))
    def put(self, image_id: str, source: int, numbers: tuple[int, ...], price: int) -> None:
        self.offset += 1
        self.apply(
            upsert(self.offset, image_id, source=source, of=self.code(numbers), attributes={"price": price}),
        )

    @rule(image_id=IDS, source=SOURCES, numbers=NUMBERS)
    def put_under_another_scheme(self, image_id: str, source: int, numbers: tuple[int, ...]) -> None:
        self.offset += 1
        self.apply(upsert(self.offset, image_id, source=source, of=self.code(numbers), scheme=OTHER_SCHEME))

    @precondition(lambda self: self.scheme is not None)
    @rule(image_id=IDS, length=st.sampled_from([0, 3, 20]))
    def put_a_code_of_another_length(self, image_id: str, length: int) -> None:
        self.offset += 1
        alien = Upsert(
            offset=self.offset,
            id=image_id,
            source=upsert(100).source,
            uploaded_at=0,
            code=bytes(length),
            scheme=self.scheme or SCHEME,
        )
        assert self.shard.apply([alien], position=self.offset) == [Outcome.FOREIGN]

    @rule(image_id=IDS, source=SOURCES, after_ms=AGES)
    def remove(self, image_id: str, source: int, after_ms: int) -> None:
        self.offset += 1
        self.now_ms += after_ms
        self.apply(delete(self.offset, image_id, source=source, at=self.now_ms))

    @rule(offsets=st.integers(1, 5))
    def pass_offsets_that_hold_nothing(self, offsets: int) -> None:
        self.offset += offsets
        self.shard.apply([], position=self.offset)

    @rule(data=st.data(), meanwhile=st.lists(st.tuples(IDS, SOURCES, st.none() | NUMBERS), max_size=3))
    def seal(self, data: st.DataObject, meanwhile: list[tuple[str, int, tuple[int, ...] | None]]) -> None:
        """Write the growing rows and some sealed segments into one segment, while the shard goes on changing."""
        contents = self.shard.contents()
        merged = data.draw(st.sets(st.sampled_from(sorted(contents.sealed)))) if contents.sealed else set()
        parts = [(contents.rows, contents.codes), *(self.shard.sealed[name].live_rows() for name in sorted(merged))]
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
                self.put(image_id, source, numbers, 0)
        self.shard.exchange([self.open(description)], dropped=merged)
        assert self.shard.sealed.keys() == contents.sealed.keys() - merged | {description.name}

    @rule()
    def reopen(self) -> None:
        """Restore the sealed part from its files, and fold in again what is in no segment."""
        contents = self.shard.contents()
        segments = [self.open(part.description) for part in contents.sealed.values()]
        unsealed = [self.live[row.id] for row in contents.rows]
        assert [each.offset for each in unsealed] == [row.offset for row in contents.rows]
        checksum = LiveChecksum(contents.checksum)
        for row, code in zip(contents.rows, contents.codes, strict=True):
            checksum.subtract(row, bytes(code))
        self.shard = Shard.restored(replace(contents, checksum=checksum.value), segments, self.vector_format)
        self.shard.apply(unsealed, position=self.offset)

    @rule(numbers=NUMBERS, k=st.integers(1, 8))
    def search(self, numbers: tuple[int, ...], k: int) -> None:
        query = self.code(numbers)
        everything = self.shard.search(query, len(self.live) + 1)
        assert {match.row.id for match in everything} == self.live.keys()
        for match in everything:
            assert abs(match.score - self.similarity(query, self.live[match.row.id].code)) < TOLERANCE
        assert everything == sorted(everything, key=lambda match: (-match.score, match.row.id))
        assert self.shard.search(query, k) == everything[:k]
        if everything:
            least = everything[len(everything) // 2].score
            assert (
                self.shard.search(query, k, min_score=least)
                == [match for match in everything if match.score >= least][:k]
            )

    @rule(numbers=NUMBERS, k=st.integers(1, 8), price=st.integers(0, 3), wanted=st.booleans())
    def search_with_a_filter(self, numbers: tuple[int, ...], k: int, price: int, wanted: bool) -> None:
        query = self.code(numbers)
        condition = parse_filter({"price": price if wanted else {"$ne": price}})
        everything = self.shard.search(query, len(self.live) + 1)
        assert (
            self.shard.search(query, k, condition=condition)
            == [match for match in everything if matches(condition, match.row)][:k]
        )

    def similarity(self, query: bytes, code: bytes) -> float:
        a, b = (np.frombuffer(data, self.vector_format.dtype).astype(float) for data in (query, code))
        if self.vector_format.metric == "l2sq":
            return float(-((a - b) ** 2).sum())
        return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))

    @invariant()
    def it_stands_where_the_model_stands(self) -> None:
        assert self.shard.position == self.offset
        assert self.shard.scheme == self.scheme
        assert len(self.shard) == len(self.live)

    @invariant()
    def it_holds_what_the_model_holds(self) -> None:
        for image_id in ("ant", "bee", "cat", "dog", "eel", "fox", "gnu"):
            assert (image_id in self.shard) == (image_id in self.live)
            assert self.shard.knows(image_id) == (image_id in self.live or image_id in self.gone)
            if image_id in self.live:
                assert self.shard.code_of(image_id) == self.live[image_id].code

    @invariant()
    def it_restates_the_winners(self) -> None:
        for image_id, winner in self.live.items():
            restated = self.shard.winner(image_id, offset=winner.offset)
            assert restated == winner
        for image_id, gone in self.gone.items():
            restated = self.shard.winner(image_id, offset=7)
            assert isinstance(restated, Delete)
            assert (restated.source.offset, restated.uploaded_at) == (gone.source, gone.at)

    @invariant()
    def its_checksum_is_that_of_the_winners_alone_in_any_order(self) -> None:
        winners = sorted(self.live.values(), key=lambda winner: winner.id, reverse=True)
        rebuilt = Shard(self.vector_format)
        assert set(rebuilt.apply(winners, position=self.offset)) <= {Outcome.APPLIED}
        assert rebuilt.checksum == self.shard.checksum


class FloatMachine(ShardMachine):
    vector_format = VectorFormat("f32", "cos")


class EuclideanMachine(ShardMachine):
    vector_format = VectorFormat("f32", "l2sq")


def vectors(rows: int, seed: int) -> npt.NDArray[np.int8]:
    return np.random.default_rng(seed).integers(-127, 128, (rows, 32), dtype=np.int8)


def test_a_large_shard_finds_what_the_cosine_says() -> None:
    """More rows than the segment's first capacity, and more than one block of the exact search."""
    rows, query = vectors(5000, 1), vectors(1, 2)[0]
    shard = Shard()
    shard.apply([upsert(n, f"{n:04}", of=row.tobytes()) for n, row in enumerate(rows)], position=4999)
    exact = rows.astype(float) @ query / (np.linalg.norm(rows.astype(float), axis=1) * np.linalg.norm(query))
    found = shard.search(query.tobytes(), 10)
    assert [match.row.id for match in found] == [f"{n:04}" for n in np.argsort(-exact)[:10]]


@pytest.mark.parametrize("every", [1, 2, 5, 100, 2500])
def test_a_filter_is_answered_completely_at_every_selectivity(every: int) -> None:
    """Between all rows and two of them, after a third of the rows was replaced and a tenth deleted."""
    rows, query = vectors(5000, 1), vectors(1, 2)[0]
    shard = Shard()
    puts = [upsert(n, str(n), of=row.tobytes(), attributes={"in": n % every == 0}) for n, row in enumerate(rows)]
    again = [
        upsert(5000 + n, str(n), of=rows[(n + 1) % 5000].tobytes(), attributes={"in": n % every == 0})
        for n in range(0, 5000, 3)
    ]
    gone = [delete(10_000 + n, str(n)) for n in range(1, 5000, 10)]
    shard.apply([*puts, *again, *gone], position=15_000)
    everything = shard.search(query.tobytes(), 5000)
    assert len(everything) == len(shard) == 4500
    condition = parse_filter({"in": True})
    for k in (1, 10, 1000):
        found = shard.search(query.tobytes(), k, condition=condition)
        assert found == [match for match in everything if match.row.attributes["in"]][:k]


for machine in (ShardMachine, FloatMachine, EuclideanMachine):
    machine.TestCase.settings = settings(
        max_examples=40,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
TestShard = ShardMachine.TestCase
TestShardOfFloats = FloatMachine.TestCase
TestShardByDistance = EuclideanMachine.TestCase
