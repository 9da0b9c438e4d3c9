from collections.abc import AsyncIterator, Sequence

import pytest

from shared.events.operations import Operation, OperationBatch
from shared.index.shard import Shard
from shared.replication.directory import ReplicaReport
from shared.replication.state import ReplicaState
from shared.replication.verification import Truth, Verdict
from tests.fakes.operations import INCARNATION, batch, delete, upsert

OPERATIONS: Sequence[Operation] = [upsert(0, "a"), upsert(2, "b"), delete(3, "a"), upsert(4, "c", source=1)]
END = 6


class Topic:
    """Implements History over a list; its end may move."""

    def __init__(self) -> None:
        self.end = END

    async def read(self, shard: int, *, after: int, incarnation: str) -> AsyncIterator[OperationBatch]:
        if self.end > after:
            yield batch(after, self.end, *(op for op in OPERATIONS if after < op.offset <= self.end))


def copy_at(position: int, *, rows: int | None = None, checksum: str | None = None) -> ReplicaReport:
    """An honest copy, but for what is said."""
    shard = Shard()
    shard.apply([op for op in OPERATIONS if op.offset <= position], position=position)
    return ReplicaReport(
        replica="searcher",
        state=ReplicaState.LIVE,
        position=position,
        rows=len(shard) if rows is None else rows,
        checksum=checksum or shard.checksum,
        at=0,
    )


@pytest.fixture
async def truth() -> Truth:
    truth = Truth(0, Topic(), incarnation=INCARNATION)
    await truth.read_on()
    return truth


@pytest.mark.parametrize("position", range(-1, END + 1))
def test_an_honest_copy_is_right_at_every_position(truth: Truth, position: int) -> None:
    assert truth.judge(copy_at(position)).verdict is Verdict.SAME


@pytest.mark.parametrize("wrong", [{"rows": 7}, {"checksum": "00"}])
def test_a_copy_that_holds_anything_else_is_named_with_what_it_should_hold(
    truth: Truth, wrong: dict[str, object]
) -> None:
    found = truth.judge(copy_at(3, **wrong))  # type: ignore[arg-type]
    assert found.verdict is Verdict.DIFFERS
    assert found.expected is not None
    assert (found.expected.rows, found.expected.checksum) == (1, copy_at(3).checksum)


async def test_a_copy_beyond_the_end_of_kafka_is_told_apart_until_kafka_has_been_read_on() -> None:
    topic = Topic()
    topic.end = 2
    truth = Truth(0, topic, incarnation=INCARNATION)
    await truth.read_on()
    assert truth.judge(copy_at(3)).verdict is Verdict.AHEAD
    topic.end = END
    await truth.read_on()
    assert truth.judge(copy_at(3)).verdict is Verdict.SAME


async def test_positions_that_are_long_past_cannot_be_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.replication.verification._KEPT_POSITIONS", 2)
    truth = Truth(0, Topic(), incarnation=INCARNATION)
    await truth.read_on()
    assert truth.judge(copy_at(2)).verdict is Verdict.TOO_OLD
    assert truth.judge(copy_at(3)).verdict is Verdict.SAME
