"""A walk is tried where it pays, and where walks were given up a scan comes first."""

from shared.index.sealed.way import Way

ROWS, CANDIDATES = 20_000, 384


def test_few_rows_are_scanned_and_many_are_walked_to() -> None:
    assert not Way(1_000).walk_pays(CANDIDATES, 1_000)
    assert Way(1_000_000).walk_pays(CANDIDATES, 1_000_000)


def test_the_fewer_rows_may_be_found_the_farther_is_the_walk() -> None:
    way = Way(1_000_000)
    assert way.walk_pays(CANDIDATES, 500_000)
    assert not way.walk_pays(CANDIDATES, 50_000)
    assert not way.walk_pays(CANDIDATES, 0)


def test_a_segment_whose_walks_are_given_up_is_scanned_at_once() -> None:
    way = Way(ROWS)
    assert way.walk_pays(CANDIDATES, ROWS)
    tried = 0
    while way.walk_pays(CANDIDATES, ROWS):
        way.given_up(CANDIDATES, ROWS)
        tried += 1
    assert tried < 5


def test_a_segment_in_which_walks_are_short_is_walked_in_with_more_candidates() -> None:
    way, candidates = Way(ROWS), 2 * CANDIDATES
    assert not way.walk_pays(candidates, ROWS)
    for _ in range(50):
        way.walked(CANDIDATES, ROWS, compared=3 * CANDIDATES)
    assert way.walk_pays(candidates, ROWS)


def test_after_some_scans_a_walk_is_tried_again() -> None:
    way = Way(ROWS)
    while way.walk_pays(CANDIDATES, ROWS):
        way.given_up(CANDIDATES, ROWS)
    scans = 0
    while not way.walk_pays(CANDIDATES, ROWS):
        way.scanned(CANDIDATES, ROWS)
        scans += 1
    assert 10 < scans < 1_000


def test_what_walks_with_a_filter_taught_holds_for_all_rows() -> None:
    """Half of the rows: twice as far for the same candidates, and learned as what it would have been for all."""
    filtered, whole = Way(ROWS), Way(ROWS)
    for _ in range(50):
        filtered.walked(CANDIDATES, ROWS // 2, compared=40 * CANDIDATES)
        whole.walked(CANDIDATES, ROWS, compared=20 * CANDIDATES)
    for candidates in (100, 200, 300, 400):
        assert filtered.walk_pays(candidates, ROWS) == whole.walk_pays(candidates, ROWS)
