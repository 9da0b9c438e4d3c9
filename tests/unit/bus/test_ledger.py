"""Nothing is committed before all that stands ahead of it is done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.ledger import OffsetLedger

PART = 3


@pytest.fixture
def ledger() -> OffsetLedger:
    return OffsetLedger()


def test_what_is_under_way_is_not_committed(ledger: OffsetLedger) -> None:
    ledger.begin(PART, 10)
    assert ledger.committable() == {}


def test_the_offset_to_commit_is_that_of_the_next_record(ledger: OffsetLedger) -> None:
    ledger.done(ledger.begin(PART, 10))
    assert ledger.committable() == {PART: 11}


def test_what_is_done_out_of_order_waits_for_what_stands_ahead(ledger: OffsetLedger) -> None:
    first, second, third = (ledger.begin(PART, offset) for offset in (10, 11, 12))
    ledger.done(third)
    ledger.done(second)
    assert ledger.committable() == {}
    ledger.done(first)
    assert ledger.committable() == {PART: 13}


def test_offsets_without_a_record_are_no_obstacle(ledger: OffsetLedger) -> None:
    tickets = [ledger.begin(PART, offset) for offset in (10, 14, 99)]
    for ticket in tickets[:2]:
        ledger.done(ticket)
    assert ledger.committable() == {PART: 15}


def test_partitions_do_not_wait_for_each_other(ledger: OffsetLedger) -> None:
    ledger.begin(0, 1)
    ledger.done(ledger.begin(1, 7))
    assert ledger.committable() == {1: 8}


def test_what_was_committed_is_not_committed_again(ledger: OffsetLedger) -> None:
    ledger.done(ledger.begin(PART, 10))
    ledger.committed({PART: 11})
    assert ledger.committable() == {}
    ledger.done(ledger.begin(PART, 11))
    assert ledger.committable() == {PART: 12}


def test_what_was_under_way_when_the_partition_went_counts_no_more(ledger: OffsetLedger) -> None:
    old = ledger.begin(PART, 10)
    ledger.forget({PART})
    ledger.done(old)
    assert ledger.committable() == {}


def test_a_ticket_is_void_once_its_partition_went_even_when_it_comes_back(ledger: OffsetLedger) -> None:
    old, other = ledger.begin(PART, 10), ledger.begin(PART + 1, 10)
    ledger.forget({PART})
    new = ledger.begin(PART, 10)
    assert (old.void, other.void, new.void) == (True, False, False)


def test_the_same_offsets_again_are_new_ones_after_a_revoke(ledger: OffsetLedger) -> None:
    old = [ledger.begin(PART, offset) for offset in (10, 11)]
    ledger.forget({PART})
    again = [ledger.begin(PART, offset) for offset in (10, 11)]
    for ticket in old:
        ledger.done(ticket)
    assert ledger.committable() == {}
    ledger.done(again[0])
    assert ledger.committable() == {PART: 11}


def test_a_commit_that_ends_after_the_revoke_is_no_trouble(ledger: OffsetLedger) -> None:
    ledger.done(ledger.begin(PART, 10))
    offsets = ledger.committable()
    ledger.forget({PART})
    ledger.committed(offsets)
    assert ledger.committable() == {}


@given(st.permutations(range(8)), st.integers(0, 8))
def test_in_whatever_order_records_end_the_commit_is_the_first_that_has_not(order: list[int], ended: int) -> None:
    ledger = OffsetLedger()
    tickets = [ledger.begin(PART, offset) for offset in range(8)]
    for offset in order[:ended]:
        ledger.done(tickets[offset])
    first_open = min(set(range(9)) - set(order[:ended]))
    assert ledger.committable() == ({PART: first_open} if first_open else {})
