"""How long a record has waited is told from when it was first seen to be there."""

from shared.bus.arrivals import Arrivals


def test_a_partition_that_is_read_to_its_end_has_nothing_that_waits() -> None:
    arrivals = Arrivals()
    assert [arrivals.waited_s(position=end, end=end, now_s=end, taken_age_s=9.0) for end in range(5)] == [0.0] * 5


def test_a_record_waits_from_the_first_look_that_saw_it() -> None:
    arrivals = Arrivals()
    arrivals.waited_s(position=10, end=10, now_s=0, taken_age_s=None)
    assert arrivals.waited_s(position=10, end=12, now_s=5, taken_age_s=None) == 0
    assert arrivals.waited_s(position=10, end=15, now_s=10, taken_age_s=None) == 5
    assert arrivals.waited_s(position=12, end=15, now_s=20, taken_age_s=None) == 10
    assert arrivals.waited_s(position=15, end=15, now_s=25, taken_age_s=None) == 0


def test_how_old_the_record_before_was_says_nothing_of_one_that_came_while_somebody_looked() -> None:
    arrivals = Arrivals()
    arrivals.waited_s(position=10, end=10, now_s=0, taken_age_s=None)
    arrivals.waited_s(position=10, end=11, now_s=5, taken_age_s=86_400)
    assert arrivals.waited_s(position=10, end=11, now_s=10, taken_age_s=86_400) == 5


def test_what_was_there_before_anybody_looked_is_about_as_old_as_what_was_taken_last() -> None:
    arrivals = Arrivals()
    assert arrivals.waited_s(position=0, end=100, now_s=0, taken_age_s=None) == 0
    assert arrivals.waited_s(position=0, end=100, now_s=30, taken_age_s=None) == 30
    assert arrivals.waited_s(position=50, end=100, now_s=35, taken_age_s=3600) == 3600
    assert arrivals.waited_s(position=100, end=130, now_s=40, taken_age_s=3600) == 0
    assert arrivals.waited_s(position=100, end=130, now_s=45, taken_age_s=3600) == 5


def test_however_long_nothing_is_taken_few_looks_are_remembered_and_the_first_is_one_of_them() -> None:
    arrivals = Arrivals(most=8)
    arrivals.waited_s(position=0, end=0, now_s=0, taken_age_s=None)
    for second in range(1, 10_000):
        assert arrivals.waited_s(position=0, end=second, now_s=second, taken_age_s=None) == second - 1
        assert len(arrivals._seen) <= 8


def test_times_that_were_made_coarser_are_never_longer_than_the_wait() -> None:
    arrivals = Arrivals(most=8)
    arrivals.waited_s(position=0, end=0, now_s=0, taken_age_s=None)
    for second in range(1, 1000):
        arrivals.waited_s(position=0, end=second, now_s=second, taken_age_s=None)
    for position in range(0, 999, 37):
        came_at = position + 1
        assert arrivals.waited_s(position=position, end=999, now_s=1000, taken_age_s=None) <= 1000 - came_at
