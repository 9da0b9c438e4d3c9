import asyncio

import pytest

from services.gateway.live.arrivals import SHOWN_AT_FIRST, Arrival, Arrivals, News


def arrival(number: int) -> Arrival:
    return Arrival(id=str(number), kind="indexed", after_s=0.1, shard=0, position=number)


def filled(arrivals: Arrivals, count: int) -> Arrivals:
    for number in range(count):
        arrivals.add(arrival(number))
    return arrivals


def ids(news: News) -> list[int]:
    return [int(each.id) for each in news.arrivals]


async def test_a_new_listener_is_shown_the_last_few_and_has_missed_nothing() -> None:
    news = filled(Arrivals(), 100).since(None)
    assert ids(news) == list(range(100 - SHOWN_AT_FIRST, 100))
    assert news.missed == 0


async def test_each_listener_hears_everything_once_and_in_order() -> None:
    arrivals = Arrivals()
    bookmark = arrivals.since(None).bookmark
    heard: list[int] = []
    for round_ in range(5):
        for number in range(3):
            arrivals.add(arrival(3 * round_ + number))
        news = arrivals.since(bookmark)
        heard += ids(news)
        bookmark = news.bookmark
    assert heard == list(range(15))
    assert arrivals.since(bookmark).arrivals == []


async def test_a_slow_listener_is_told_how_many_it_missed_and_goes_on_with_the_oldest_that_is_kept() -> None:
    arrivals = Arrivals(kept=10)
    bookmark = arrivals.since(None).bookmark
    filled(arrivals, 25)
    news = arrivals.since(bookmark)
    assert (news.missed, ids(news)) == (15, list(range(15, 25)))
    assert arrivals.since(news.bookmark).missed == 0


async def test_a_bookmark_of_another_process_or_of_nobody_is_as_good_as_none() -> None:
    arrivals = filled(Arrivals(), 3)
    run, _, _ = arrivals.since(None).bookmark.partition("-")
    for bookmark in ("", "x", "-3", "00000000-1", f"{run}-4", f"{run}--1", f"{run}-²", f"{run}-{10**30}"):
        assert (ids(arrivals.since(bookmark)), arrivals.since(bookmark).missed) == ([0, 1, 2], 0)


async def test_who_waits_is_woken_by_the_next_arrival_and_not_held_up_by_one_that_came_before() -> None:
    arrivals = Arrivals()
    bookmark = arrivals.since(None).bookmark
    waiting = asyncio.create_task(arrivals.wait(bookmark, timeout_s=60))
    await asyncio.sleep(0)
    assert not waiting.done()
    arrivals.add(arrival(1))
    async with asyncio.timeout(10):
        await waiting
        await arrivals.wait(bookmark, timeout_s=60)


@pytest.mark.parametrize("timeout_s", [0, 0.001])
async def test_a_wait_in_vain_ends(timeout_s: float) -> None:
    arrivals = Arrivals()
    async with asyncio.timeout(10):
        await arrivals.wait(arrivals.since(None).bookmark, timeout_s=timeout_s)
