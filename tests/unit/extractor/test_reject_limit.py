"""Rejects that look like the deployment's own fault stop the worker; those that an image brings with it do not."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.extractor.reject_limit import CHECK, WINDOW, RejectLimit, RejectLimitReached
from shared.events.faults import RejectReason

EVENTS_PAGE = (Path(__file__).parents[3] / "docs" / "events.md").read_text()
OURS = RejectReason.URI_NOT_ALLOWED
THEIRS = RejectReason.DECODE_FAILED


def limited(*, max_consecutive: int = 0, max_ratio: float = 0, stop: Callable[[], None] = lambda: None) -> RejectLimit:
    return RejectLimit(max_consecutive=max_consecutive, max_ratio=max_ratio, stop=stop)


def rejects_until_the_stop(limit: RejectLimit, reason: RejectReason = OURS, *, most: int = 2 * WINDOW) -> int:
    for count in range(most):
        try:
            limit.reject(reason)
        except RejectLimitReached:
            return count
    return most


@pytest.mark.parametrize("reason", CHECK)
def test_as_many_rejects_in_a_row_as_the_limit_says_are_written_and_no_more(reason: RejectReason) -> None:
    limit = limited(max_consecutive=5)
    assert rejects_until_the_stop(limit, reason) == 5
    with pytest.raises(RejectLimitReached):
        limit.reject(reason)


def test_an_image_that_was_encoded_begins_a_new_row() -> None:
    limit = limited(max_consecutive=5)
    for _ in range(3):
        for _ in range(5):
            limit.reject(OURS)
        limit.encoded()
    assert rejects_until_the_stop(limit) == 5


@pytest.mark.parametrize("reason", sorted(set(RejectReason) - set(CHECK)))
def test_what_lies_in_the_upload_itself_neither_counts_nor_ends_a_row(reason: RejectReason) -> None:
    limit = limited(max_consecutive=5, max_ratio=0.01)
    assert rejects_until_the_stop(limit, reason) == 2 * WINDOW
    for _ in range(3):
        limit.reject(OURS)
        limit.reject(reason)
    assert rejects_until_the_stop(limit) == 2


def test_the_share_of_rejects_is_looked_at_once_there_were_enough_uploads() -> None:
    limit = limited(max_ratio=0.5)
    assert rejects_until_the_stop(limit) == WINDOW


def test_half_of_the_uploads_rejected_is_too_many_and_less_is_not() -> None:
    limit = limited(max_ratio=0.5)
    for _ in range(WINDOW):  # one of three
        limit.reject(OURS)
        limit.encoded()
        limit.encoded()
    assert WINDOW // 8 < rejects_until_the_stop(limit) < WINDOW // 2


def test_zero_turns_both_limits_off() -> None:
    assert rejects_until_the_stop(limited()) == 2 * WINDOW


@given(st.lists(st.booleans(), max_size=300), st.integers(1, 9))
def test_the_worker_stops_at_the_first_row_that_is_too_long(rejected: list[bool], most: int) -> None:
    limit, row = limited(max_consecutive=most), 0
    for one in rejected:
        if not one:
            limit.encoded()
            row = 0
        elif row == most:
            with pytest.raises(RejectLimitReached):
                limit.reject(OURS)
            return
        else:
            limit.reject(OURS)
            row += 1


def test_the_stop_says_once_what_was_counted_what_to_check_and_how_to_redrive() -> None:
    stops: list[None] = []
    limit = limited(max_consecutive=3, stop=lambda: stops.append(None))
    limit.reject(RejectReason.NOT_FOUND)
    limit.reject(OURS)
    limit.reject(OURS)
    with capture_logs() as logs:
        assert [rejects_until_the_stop(limit) for _ in range(3)] == [0, 0, 0]
    [said] = logs
    assert stops == [None]
    assert (said["event"], said["log_level"]) == ("reject_limit_reached", "critical")
    assert "3 uploads in a row" in said["what"]
    assert said["rejected"] == {"uri_not_allowed": 2, "not_found": 1}
    assert "AFTERIMAGE_FILE_ROOTS" in said["check"]
    assert "AWS_" in said["check"]
    assert "afterimage redrive --reason uri_not_allowed --reason not_found" in said["then"]


def test_after_the_stop_what_was_under_way_may_end_but_rejects_nothing() -> None:
    limit = limited(max_consecutive=3)
    assert rejects_until_the_stop(limit) == 3
    limit.encoded()
    assert rejects_until_the_stop(limit) == 0


def test_the_page_names_every_reason_that_counts() -> None:
    [sentence] = re.findall(r"Only the reasons count that.*?: (.*?)\. ", EVENTS_PAGE, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", sentence)) == {reason.value for reason in CHECK}
