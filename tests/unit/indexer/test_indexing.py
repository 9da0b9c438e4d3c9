"""The way of a batch: the log first, then Kafka's commit, then the receipts; and what it takes to hold a shard."""

import asyncio

import pytest

from services.indexer.handler import LogAhead, WrongCode
from shared.bus.faults import BusRefused
from shared.events.receipts import Effect
from shared.replication.log import LogUnavailable
from tests.fakes.operations import INCARNATION, delete, upsert
from tests.unit.indexer.bench import MAX_BATCH, NOW_MS, SHARD, TOPICS, Bench, source


async def test_what_is_delivered_reaches_the_log_the_commit_and_the_producers() -> None:
    bench = Bench()
    bench.write(upsert(0, "a"), delete(1, "b"))
    await bench.handler.heartbeat()
    await bench.deliver()
    assert await bench.logged() == [(0, "a"), (1, "b")]
    assert bench.consumer.committed == {SHARD: 2}
    assert [(receipt.id, receipt.effect, receipt.position) for receipt in bench.receipts] == [
        ("a", Effect.INDEXED, 0),
        ("b", Effect.DELETED, 1),
    ]
    assert {receipt.indexed_at for receipt in bench.receipts} == {NOW_MS}
    assert [receipt.source for receipt in bench.receipts] == [source(0), source(1)]


async def test_an_indexer_that_may_not_send_receipts_ends_after_the_log_has_the_batch() -> None:
    bench = Bench()
    bench.producer.forbidden = {TOPICS.indexed}
    bench.write(upsert(0, "a"))
    await bench.handler.heartbeat()
    with pytest.RaisesGroup(BusRefused):
        await bench.deliver()
    assert await bench.logged() == [(0, "a")]


async def test_an_unclaimed_shard_is_claimed_when_records_come_and_they_come_again() -> None:
    bench = Bench()
    bench.write(upsert(0, "a"))
    await bench.deliver()
    assert bench.claims("assigned") == 1
    assert await bench.logged() == []
    await bench.deliver()
    assert await bench.logged() == [(0, "a")]


async def test_a_new_writer_reads_the_whole_topic_and_appends_only_what_the_log_lacks() -> None:
    first = await Bench().started(upsert(0, "a"), upsert(1, "b"))
    first.write(upsert(2, "c"))
    second = Bench(first)
    await second.handler.heartbeat()
    await second.deliver_all()
    assert await second.logged() == [(0, "a"), (1, "b"), (2, "c")]
    assert len(second.writer.fold) == 3


async def test_a_batch_that_was_fetched_before_a_seek_is_dropped() -> None:
    bench = Bench()
    bench.write(*[upsert(n, f"id-{n}") for n in range(4)])
    records = bench.consumer.fetch(SHARD, 2)
    await bench.handler.heartbeat()  # claims, and seeks back to the first offset
    await bench.handler.index(SHARD, records)
    assert await bench.logged() == []
    await bench.deliver_all()
    assert await bench.logged() == [(n, f"id-{n}") for n in range(4)]


async def test_a_batch_behind_which_offsets_are_empty_is_not_dropped() -> None:
    """After compaction the consumer's position is beyond the record after the last, as aiokafka counts."""
    bench = Bench()
    bench.write(upsert(0, "a"), upsert(1, "b"), upsert(2, "b"))
    bench.topic.compact(before=3)
    bench.topic.skip(3)
    await bench.handler.heartbeat()
    bench.write(upsert(6, "c"))
    await bench.deliver(1)
    assert await bench.logged() == [(0, "a")]
    await bench.deliver(1)
    assert await bench.logged() == [(0, "a"), (2, "b")]
    assert await bench.consumer.position(SHARD) == 6


async def test_a_batch_for_a_shard_that_went_away_is_left_to_its_next_owner() -> None:
    bench = await Bench().started(upsert(0, "a"))
    bench.write(upsert(1, "b"))
    records = bench.consumer.fetch(SHARD)
    bench.consumer.assign([])
    bench.handler.revoked({SHARD})
    await bench.handler.index(SHARD, records)
    assert await bench.logged() == [(0, "a")]


async def test_a_shard_that_goes_away_while_its_batch_is_folded_is_not_written_to() -> None:
    bench = await Bench().started(upsert(0, "a"))
    bench.write(upsert(1, "b"))

    def rebalance() -> None:
        bench.consumer.assign([])
        bench.handler.revoked({SHARD})

    bench.thread.before = rebalance
    await bench.deliver()
    assert await bench.logged() == [(0, "a")]
    assert bench.producer.sent == []


async def test_a_claim_that_is_lost_while_the_log_answers_stays_lost() -> None:
    bench = await Bench().started(upsert(0, "a"))
    bench.write(upsert(1, "b"))
    bench.log.on_append = lambda shard, batch, epoch: bench.handler.revoked({SHARD})
    await bench.deliver()
    assert not bench.writer.claimed


async def test_a_shard_that_goes_away_while_it_is_claimed_is_let_go() -> None:
    bench = Bench()
    beat = asyncio.create_task(bench.handler.heartbeat())
    await asyncio.sleep(0)
    bench.consumer.assign([])
    await beat
    assert bench.handler.unclaimed == []
    assert not bench.writer.claimed


async def test_a_fold_that_was_let_go_while_its_batch_was_written_does_not_end_the_worker() -> None:
    bench = await Bench().started(upsert(0, "a"))
    bench.write(upsert(1, "b"))
    await Bench(bench).handler.heartbeat()
    beats = []

    def rebalance() -> None:
        bench.consumer.assign([])
        beats.append(asyncio.create_task(bench.handler.heartbeat()))

    bench.thread.before = rebalance
    await bench.deliver()
    await beats[0]
    assert await bench.logged() == [(0, "a")]


async def test_a_fenced_indexer_claims_again_and_reads_on_from_where_it_is_right() -> None:
    bench = await Bench().started(upsert(0, "a"))
    other = Bench(bench)
    await other.handler.heartbeat()
    bench.write(upsert(1, "b"))
    await bench.deliver_all()
    assert bench.claims("fenced") == 1
    assert await bench.logged() == [(0, "a"), (1, "b")]


@pytest.mark.parametrize("silence_s", [1.0, 60.0])
async def test_while_the_log_is_away_records_wait_and_nothing_is_committed(silence_s: float) -> None:
    bench = await Bench().started(upsert(0, "a"))
    bench.log.down = True
    bench.write(upsert(1, "b"))
    delivery = asyncio.create_task(bench.deliver())
    await asyncio.sleep(silence_s)
    assert bench.consumer.committed == {SHARD: 1}
    assert bench.receipts == []
    bench.log.down = False
    await delivery
    assert await bench.logged() == [(0, "a"), (1, "b")]
    assert [receipt.id for receipt in bench.receipts] == ["b"]


async def test_an_append_whose_answer_was_lost_is_done_once_and_told_to_all() -> None:
    bench = await Bench().started()
    lost = iter([True])
    bench.log.loses_answer = lambda: next(lost, False)
    bench.write(upsert(0, "a"), upsert(1, "a", source=9), delete(2, "b"))
    await bench.deliver()
    assert await bench.logged() == [(0, "a"), (1, "a"), (2, "b")]
    assert [receipt.position for receipt in bench.receipts] == [0, 1, 2]


async def test_a_log_that_goes_away_right_after_it_fenced_the_writer_does_not_end_the_worker() -> None:
    bench = await Bench().started(upsert(0, "a"))
    bench.log.flush()
    bench.write(upsert(1, "b"))

    claim = bench.log.claim
    refusals = iter([True])

    async def reluctant(shard: int, *, incarnation: str, epoch: str, head_if_new: int) -> int:
        if next(refusals, False):
            raise LogUnavailable("it went away between two questions")
        return await claim(shard, incarnation=incarnation, epoch=epoch, head_if_new=head_if_new)

    bench.log.claim = reluctant  # type: ignore[method-assign]
    await bench.deliver_all()
    assert bench.claims("fenced") == 1
    assert await bench.head() == 1


async def test_while_kafka_does_not_say_where_the_topic_ends_the_shard_stays_unclaimed() -> None:
    bench = Bench()
    bench.consumer.down = True
    await bench.handler.heartbeat()
    assert bench.handler.unclaimed == [SHARD]
    bench.consumer.down = False
    await bench.handler.heartbeat()
    assert bench.handler.unclaimed == []


async def test_a_log_that_is_ahead_of_the_topic_ends_the_worker_with_what_to_do() -> None:
    bench = Bench()
    await bench.log.claim(SHARD, incarnation=INCARNATION, epoch="another", head_if_new=17)
    bench.write(upsert(0, "a"))
    with pytest.raises(LogAhead, match=r"stands at offset 17.*images\.features ends before 1.*delete the shard's keys"):
        await bench.handler.heartbeat()


async def test_codes_of_another_code_end_the_indexer_with_what_to_do_before_anything_is_appended() -> None:
    bench = await Bench().started()
    bench.write(upsert(0, "a", scheme="opq80@0123456789abcdef:3a7bf86b666e68c5"))
    with pytest.raises(
        WrongCode, match=r"shard 0 .*has codes of opq80@0123456789abcdef .*AFTERIMAGE_CODE .*is i8: set it"
    ):
        await bench.deliver_all()
    assert await bench.head() == -1


async def test_a_log_that_another_code_filled_is_not_written_to() -> None:
    bench = Bench(await Bench().started(upsert(0, "a", scheme="i8:3a7bf86b666e68c5")))
    bench.handler._code = "f16"
    bench.write(delete(1, "a"))
    with pytest.raises(WrongCode, match=r"has codes of i8 \(scheme i8:3a7bf86b666e68c5\).*is f16"):
        await bench.deliver_all()


async def test_an_emptied_log_is_claimed_by_the_heartbeat_and_filled_from_where_the_fold_stands() -> None:
    bench = await Bench().started(upsert(0, "a"), upsert(1, "b"))
    bench.log.flush()
    await bench.handler.heartbeat()
    assert bench.claims("lost") == 1
    assert await bench.head() == 1
    bench.write(upsert(2, "c"))
    await bench.deliver_all()
    assert await bench.logged() == [(2, "c")]


async def test_a_log_that_was_rolled_back_gets_the_same_operations_again() -> None:
    bench = await Bench().started(upsert(0, "a"))
    snapshot = bench.log.snapshot()
    bench.write(upsert(1, "b"), upsert(2, "b", source=9), delete(3, "a", source=9))
    await bench.deliver_all()
    complete = await bench.logged()
    bench.log.roll_back(snapshot)
    await bench.handler.heartbeat()
    await bench.deliver_all()
    assert await bench.logged() == complete == [(0, "a"), (1, "b"), (2, "b"), (3, "a")]


async def test_an_idle_indexer_whose_claim_stands_asks_and_does_no_more() -> None:
    bench = await Bench().started(upsert(0, "a"))
    await bench.handler.heartbeat()
    assert bench.claims("assigned") == 1
    assert bench.claims("lost") == 0


async def test_the_fold_of_a_shard_that_went_away_is_forgotten_at_the_next_heartbeat() -> None:
    bench = await Bench().started(upsert(0, "a"))
    bench.consumer.assign([])
    bench.handler.revoked({SHARD})
    await bench.handler.heartbeat()
    bench.consumer.assign([SHARD])
    await bench.handler.heartbeat()
    await bench.deliver_all()
    assert len(bench.made) == 2
    assert len(bench.writer.fold) == 1


async def test_the_receipts_of_the_last_batch_are_sent_again_after_a_takeover() -> None:
    """Its writer may have died between the commit and the receipts."""
    first = await Bench().started(*[upsert(n, f"id-{n}") for n in range(10)])
    second = Bench(first)
    await second.handler.heartbeat()
    await second.deliver_all()
    assert [receipt.position for receipt in second.receipts] == list(range(10 - MAX_BATCH, 10))


async def test_a_batch_reports_each_operation_once_in_the_metrics() -> None:
    bench = await Bench().started()
    bench.write(upsert(0, "a", source=5), upsert(1, "a", source=4), upsert(2, "b", scheme="another"))
    await bench.deliver()
    counted = {
        outcome: bench.registry.get_sample_value("afterimage_indexer_operations_total", {"outcome": outcome})
        for outcome in ("applied", "stale", "foreign")
    }
    assert counted == {"applied": 1, "stale": 1, "foreign": 1}
