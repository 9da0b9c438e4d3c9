"""What became of each event, matched to those who wait."""

import asyncio

import pytest

from shared.client import outcomes as module
from shared.client.outcomes import Outcomes
from shared.events.faults import RejectReason
from shared.events.images import SourcePosition
from shared.events.receipts import Effect, Receipt
from shared.events.rejects import Reject


def at(offset: int) -> SourcePosition:
    return SourcePosition(offset=offset, partition=2)


def receipt(offset: int) -> Receipt:
    return Receipt(
        id="cat",
        effect=Effect.INDEXED,
        shard=0,
        position=9,
        source_partition=2,
        source_offset=offset,
        uploaded_at=1,
        indexed_at=2,
    )


def reject(offset: int) -> Reject:
    return Reject(
        reason=RejectReason.NOT_FOUND,
        detail="",
        stage="extract",
        source=at(offset),
        uploaded_at=1,
        redrivable=True,
    )


async def test_an_outcome_reaches_whoever_expected_it() -> None:
    outcomes = Outcomes()
    mine, other = outcomes.expect(at(1)), outcomes.expect(at(2))
    await asyncio.sleep(3)
    outcomes.heard(receipt(1))
    assert (await mine).fact == receipt(1)
    assert (await mine).heard_at == pytest.approx(3)
    assert not other.done()


async def test_an_outcome_that_comes_before_it_is_expected_is_not_lost() -> None:
    outcomes = Outcomes()
    outcomes.heard(reject(1))
    assert (await outcomes.expect(at(1))).fact == reject(1)


async def test_an_outcome_that_comes_twice_is_the_first() -> None:
    outcomes = Outcomes()
    expected = outcomes.expect(at(1))
    outcomes.heard(reject(1))
    outcomes.heard(receipt(1))
    assert (await expected).fact == reject(1)


async def test_whoever_gave_up_is_passed_over() -> None:
    outcomes = Outcomes()
    outcomes.expect(at(1)).cancel()
    outcomes.heard(receipt(1))


async def test_what_was_heard_before_an_event_is_sent_through_again_does_not_count() -> None:
    outcomes = Outcomes()
    outcomes.heard(reject(1))
    outcomes.forget(at(1))
    expected = outcomes.expect(at(1))
    assert not expected.done()
    outcomes.heard(receipt(1))
    assert (await expected).fact == receipt(1)


async def test_what_nobody_expects_is_kept_only_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 3)
    outcomes = Outcomes()
    for offset in range(10):
        outcomes.heard(receipt(offset))
    assert outcomes.expect(at(9)).done()
    assert not outcomes.expect(at(6)).done()


async def test_of_too_many_that_are_expected_the_oldest_never_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EXPECTED", 3)
    outcomes = Outcomes()
    expected = [outcomes.expect(at(offset)) for offset in range(5)]
    for offset in range(5):
        outcomes.heard(receipt(offset))
    assert [future.done() for future in expected] == [False, False, True, True, True]
