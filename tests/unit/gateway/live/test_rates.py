import pytest

from services.gateway.live import rates
from services.gateway.live.rates import RecentSearches


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rates_are_those_of_the_window_and_of_what_was_answered() -> None:
    clock = Clock()
    searches = RecentSearches(clock)
    searches.saw(9.0, answered=True)
    clock.now += 31
    for milliseconds in range(1, 61):
        searches.saw(milliseconds / 1000, answered=True)
    searches.saw(5.0, answered=False)
    found = searches.rates()
    assert (found.per_second, found.p50_ms, found.p99_ms, found.failed) == (2.0, 30.0, 60.0, 1)


def test_without_searches_there_is_no_time_to_tell() -> None:
    found = RecentSearches(Clock()).rates()
    assert (found.per_second, found.p50_ms, found.p99_ms, found.failed) == (0.0, None, None, 0)


def test_one_search_is_its_own_median_and_tail() -> None:
    searches = RecentSearches(Clock())
    searches.saw(0.02, answered=True)
    assert (searches.rates().p50_ms, searches.rates().p99_ms) == (20.0, 20.0)


def test_of_more_than_it_remembers_it_tells_the_rate_of_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_REMEMBERED", 100)
    clock = Clock()
    searches = RecentSearches(clock)
    for _ in range(1000):
        clock.now += 0.01
        searches.saw(0.001, answered=True)
    found = searches.rates()
    assert found.per_second == pytest.approx(100, rel=0.02)
    assert found.window_s == pytest.approx(1, rel=0.02)
