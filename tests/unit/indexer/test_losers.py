"""Records that lose: a stale one, and one of another scheme. Kafka keeps the last record of an id, so the winner must
be the last."""

import pytest

from shared.events import headers as hdr
from shared.events import rejects
from shared.events.faults import RejectReason
from shared.events.operations import Delete, Operation, Upsert
from shared.events.receipts import Effect
from shared.index.shard import Shard
from tests.fakes.operations import code, delete, upsert
from tests.unit.indexer.bench import TOPICS, Bench, source


def survivors(bench: Bench) -> Shard:
    """What an index holds that is rebuilt from the topic after everything was compacted."""
    bench.topic.compact(before=bench.topic.end)
    shard = Shard()
    shard.apply(bench.topic.operations(), position=bench.topic.end - 1)
    return shard


def write_restated(bench: Bench) -> None:
    for record in bench.restated:
        bench.topic.append(key=record.key or b"", value=record.value, headers=record.headers)
    bench.producer.sent.clear()


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        (upsert(0, source=9, of=code(9, 9, 9, 9)), upsert(1, source=3)),
        (upsert(0, source=9, of=code(9, 9, 9, 9)), delete(1, source=3)),
        (delete(0, source=9), upsert(1, source=3)),
        (upsert(0, source=3), upsert(1, source=9, scheme="another")),
    ],
    ids=["upsert-upsert", "upsert-delete", "delete-upsert", "foreign"],
)
async def test_the_winner_is_written_again_behind_the_record_that_lost(winner: Operation, loser: Operation) -> None:
    bench = await Bench().started(upsert(0, "other"))
    bench.write(winner, loser)
    await bench.deliver_all()
    assert len(bench.restated) == 1
    write_restated(bench)
    await bench.deliver_all()
    assert bench.restated == []
    assert survivors(bench).checksum == bench.writer.fold.checksum


@pytest.mark.parametrize(("last_source", "times"), [(10, 0), (4, 1)], ids=["it wins", "it loses too"])
async def test_of_the_records_of_an_id_that_come_together_the_last_decides(last_source: int, times: int) -> None:
    """Else an indexer that has much to catch up with would make more of it."""
    bench = await Bench().started(upsert(0, "other"))
    bench.write(upsert(0, source=9), upsert(0, source=3), upsert(0, source=last_source, of=code(4, 3, 2, 1)))
    await bench.deliver()
    assert len(bench.restated) == times
    write_restated(bench)
    await bench.deliver_all()
    assert bench.restated == []
    assert survivors(bench).checksum == bench.writer.fold.checksum


async def test_a_stale_upload_is_told_that_it_was_superseded() -> None:
    bench = await Bench().started()
    bench.write(upsert(0, source=9), upsert(1, source=3))
    await bench.deliver()
    assert [(receipt.effect, receipt.source) for receipt in bench.receipts] == [
        (Effect.INDEXED, source(9)),
        (Effect.SUPERSEDED, source(3)),
    ]


async def test_an_operation_that_changes_nothing_stays_out_of_the_log() -> None:
    bench = await Bench().started()
    bench.write(upsert(0, "a", source=9), upsert(1, "a", source=3), upsert(2, "b", scheme="another"))
    await bench.deliver()
    assert await bench.logged() == [(0, "a")]
    assert await bench.head() == 2


async def test_an_upload_of_another_scheme_is_rejected_with_both_schemes() -> None:
    bench = await Bench().started(upsert(0, "a", scheme="ours"))
    bench.write(upsert(1, "b", scheme="theirs"))
    await bench.deliver()
    [record] = bench.producer.to(TOPICS.rejected)
    reject = rejects.read_reject(record.headers)
    assert reject is not None
    assert reject.reason is RejectReason.SCHEME_MISMATCH
    assert "ours" in reject.detail
    assert "theirs" in reject.detail
    assert (reject.source, reject.redrivable, record.key) == (source(1), False, b"b")
    assert bench.receipts == []


async def test_a_code_of_another_scheme_does_not_become_the_first_that_is_left_of_the_topic() -> None:
    bench = await Bench().started(upsert(0, "a", scheme="ours"))
    bench.write(upsert(1, "b", scheme="theirs"), upsert(2, "a", scheme="ours"))
    await bench.deliver_all()
    write_restated(bench)
    await bench.deliver_all()
    assert bench.restated == []
    rebuilt = survivors(bench)
    assert (rebuilt.scheme, rebuilt.checksum) == ("ours", bench.writer.fold.checksum)


@pytest.mark.parametrize("kind", [Upsert, Delete])
async def test_a_restated_winner_says_word_for_word_what_the_first_said(kind: type[Operation]) -> None:
    bench = await Bench().started()
    winner = upsert(0, source=9, attributes={"price": 3}) if kind is Upsert else delete(0, source=9)
    bench.write(winner, upsert(1, source=3))
    await bench.deliver()
    [record] = bench.restated
    first = bench.topic.records[0]
    assert (record.key, record.value) == (first.key, first.value)
    assert hdr.last(record.headers, hdr.SOURCE_OFFSET) == hdr.last(first.headers, hdr.SOURCE_OFFSET)


async def test_a_record_that_cannot_be_read_costs_itself_alone() -> None:
    bench = await Bench().started()
    bench.write(upsert(0, "a"))
    bench.topic.append(key=b"noise", value=b"noise")
    bench.write(upsert(2, "b"))
    await bench.deliver()
    assert await bench.logged() == [(0, "a"), (2, "b")]
    assert bench.consumer.committed == {0: 3}
