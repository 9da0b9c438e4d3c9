"""The one writer of a shard's log."""

from itertools import count

import pytest

from shared.index.shard import Outcome
from shared.replication.log import Conflict, Fenced, LogUnavailable
from shared.replication.writer import ShardWriter, Written
from tests.fakes.inline_thread import InlineThread
from tests.fakes.operations import INCARNATION, batch, delete, upsert
from tests.fakes.replication_log import FakeLog

SHARD = 2


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def thread() -> InlineThread:
    return InlineThread()


def make_writer(log: FakeLog, thread: InlineThread, *, name: str = "w", window: int = 100) -> ShardWriter:
    numbers = count(1)
    return ShardWriter(
        SHARD,
        log,
        incarnation=INCARNATION,
        window=window,
        thread=thread,
        epochs=lambda: f"{name}{next(numbers)}",
    )


@pytest.fixture
async def writer(log: FakeLog, thread: InlineThread) -> ShardWriter:
    writer = make_writer(log, thread)
    await writer.claim()
    return writer


async def positions(log: FakeLog) -> list[tuple[int, int]]:
    return [(one.previous, one.position) for one in await log.read(SHARD, after=-1, count=100)]


async def test_without_a_claim_there_is_no_append(log: FakeLog, thread: InlineThread) -> None:
    with pytest.raises(RuntimeError, match="not claimed"):
        await make_writer(log, thread).append([upsert(0)], position=0)


async def test_each_claim_takes_a_fresh_epoch(writer: ShardWriter, log: FakeLog) -> None:
    assert (writer.epoch, writer.head) == ("w1", -1)
    await writer.claim()
    assert writer.epoch == "w2"
    head = await log.head(SHARD)
    assert head is not None
    assert head.epoch == "w2"


async def test_each_append_extends_the_one_before(writer: ShardWriter, log: FakeLog) -> None:
    await writer.append([upsert(0, "a")], position=0)
    await writer.append([upsert(1, "b"), upsert(4, "c")], position=6)
    assert await positions(log) == [(-1, 0), (0, 6)]
    assert (writer.head, writer.fold.position, writer.next_offset) == (6, 6, 7)


async def test_what_became_of_each_operation_is_told_in_order(writer: ShardWriter) -> None:
    operations = [upsert(0, "a", source=5), upsert(1, "a", source=4), upsert(2, "b", scheme="another"), delete(3, "c")]
    written = await writer.append(operations, position=3)
    outcomes = [Outcome.APPLIED, Outcome.STALE, Outcome.FOREIGN, Outcome.APPLIED]
    assert written == [Written(operation, outcome) for operation, outcome in zip(operations, outcomes, strict=True)]


async def test_a_batch_of_which_nothing_remains_still_moves_the_head(writer: ShardWriter, log: FakeLog) -> None:
    await writer.append([upsert(0, "a", source=5)], position=0)
    await writer.append([upsert(1, "a", source=4)], position=3)
    assert await log.read(SHARD, after=0, count=10) == [batch(0, 3)]


async def test_operations_that_come_again_are_applied_once(writer: ShardWriter, log: FakeLog) -> None:
    operations = [upsert(0, "a"), upsert(1, "b")]
    await writer.append(operations, position=1)
    written = await writer.append([*operations, upsert(2, "c")], position=2)
    assert [item.outcome for item in written] == [Outcome.APPLIED] * 3
    assert await positions(log) == [(-1, 1), (1, 2)]
    [_, second] = await log.read(SHARD, after=-1, count=10)
    assert [operation.offset for operation in second.operations] == [2]


async def test_an_append_that_found_no_log_succeeds_when_it_is_tried_again(writer: ShardWriter, log: FakeLog) -> None:
    operations = [upsert(0, "a", source=5), upsert(1, "a", source=4), upsert(2, "b", scheme="another")]
    log.down = True
    with pytest.raises(LogUnavailable):
        await writer.append(operations, position=2)
    log.down = False
    written = await writer.append(operations, position=2)
    assert [item.outcome for item in written] == [Outcome.APPLIED, Outcome.STALE, Outcome.FOREIGN]
    assert await positions(log) == [(-1, 2)]


async def test_an_append_whose_answer_was_lost_is_not_done_twice(writer: ShardWriter, log: FakeLog) -> None:
    log.loses_answer = lambda: True
    with pytest.raises(LogUnavailable):
        await writer.append([upsert(0)], position=0)
    log.loses_answer = lambda: False
    written = await writer.append([upsert(0)], position=0)
    assert [item.outcome for item in written] == [Outcome.APPLIED]
    assert await positions(log) == [(-1, 0)]
    assert writer.head == 0


async def test_after_a_rollback_what_was_lost_is_appended_again(writer: ShardWriter, log: FakeLog) -> None:
    await writer.append([upsert(0, "a")], position=0)
    snapshot = log.snapshot()
    lost = [upsert(1, "b"), upsert(2, "b", source=9), delete(3, "a", source=9)]
    await writer.append(lost, position=3)
    log.roll_back(snapshot)
    with pytest.raises(Conflict):
        await writer.append([upsert(4, "c")], position=4)
    writer.lose()
    await writer.claim()
    assert writer.next_offset == 1
    await writer.append([*lost, upsert(4, "c")], position=4)
    [_, again] = await log.read(SHARD, after=-1, count=10)
    assert [operation.offset for operation in again.operations] == [1, 2, 3, 4]


async def test_a_new_log_begins_where_the_fold_stands(writer: ShardWriter, log: FakeLog) -> None:
    await writer.append([upsert(0, "a"), upsert(1, "b")], position=1)
    log.flush()
    with pytest.raises(Fenced):
        await writer.append([upsert(2, "c")], position=2)
    writer.lose()
    await writer.claim()
    assert (writer.head, writer.next_offset) == (2, 3)  # the fold took it in before the log refused it
    assert await writer.append([upsert(2, "c")], position=2) == [Written(upsert(2, "c"), Outcome.APPLIED)]


async def test_a_new_writer_of_an_old_log_reads_from_the_beginning(
    writer: ShardWriter, log: FakeLog, thread: InlineThread
) -> None:
    await writer.append([upsert(0, "a"), upsert(1, "b")], position=1)
    heir = make_writer(log, thread, name="heir")
    await heir.claim()
    assert (heir.head, heir.next_offset) == (1, 0)
    await heir.append([upsert(0, "a")], position=0)
    await heir.append([upsert(1, "b"), upsert(2, "c")], position=2)
    assert await positions(log) == [(-1, 1), (1, 2)]
    assert heir.fold.position == 2


async def test_a_zombie_is_fenced_and_its_batch_reaches_nobody(
    writer: ShardWriter, log: FakeLog, thread: InlineThread
) -> None:
    heir = make_writer(log, thread, name="heir")
    await heir.claim()
    with pytest.raises(Fenced):
        await writer.append([upsert(0)], position=0)
    assert await positions(log) == []


async def test_a_claim_that_is_lost_while_the_thread_folds_fences_the_append(
    writer: ShardWriter, log: FakeLog, thread: InlineThread
) -> None:
    thread.before = writer.lose
    with pytest.raises(Fenced):
        await writer.append([upsert(0)], position=0)
    assert await positions(log) == []


async def test_a_claim_that_is_lost_while_the_log_answers_is_not_taken_back(writer: ShardWriter, log: FakeLog) -> None:
    log.on_append = lambda shard, batch, epoch: writer.lose()
    await writer.append([upsert(0)], position=0)
    assert not writer.claimed


@pytest.mark.parametrize("loss", ["flushed", "rolled back", "claimed by another", "lost"])
async def test_a_claim_that_is_void_is_seen_by_asking(
    writer: ShardWriter, log: FakeLog, thread: InlineThread, loss: str
) -> None:
    snapshot = log.snapshot()
    await writer.append([upsert(0)], position=0)
    assert await writer.still_mine()
    match loss:
        case "flushed":
            log.flush()
        case "rolled back":
            log.roll_back(snapshot)
        case "claimed by another":
            await make_writer(log, thread, name="heir").claim()
        case "lost":
            writer.lose()
    assert not await writer.still_mine()


async def test_the_log_keeps_a_window_of_offsets(log: FakeLog, thread: InlineThread) -> None:
    writer = make_writer(log, thread, window=3)
    await writer.claim()
    for offset in range(10):
        await writer.append([upsert(offset)], position=offset)
    assert [position for _, position in await positions(log)] == [7, 8, 9]
