"""As many queries are taken as are answered before their deadlines."""

import asyncio
from contextlib import ExitStack

import pytest

from services.searcher.admission import Admission, Overloaded


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """A worker that answers one query after another, each in so many seconds."""

    def __init__(self, *, each_s: float) -> None:
        self.clock = Clock()
        self.admission = Admission(8, clock=self.clock)
        self._each_s = each_s

    def answer(self, times: int, *, company: int = 0) -> None:
        for _ in range(times):
            with self.waiting(company), self.admission.under_way(asyncio.Timeout(None)):
                self.clock.now += self._each_s

    def fail(self, error: BaseException, *, after_s: float) -> None:
        with self.admission.under_way(asyncio.Timeout(None)):
            self.clock.now += after_s
            raise error

    def waiting(self, count: int, *, patient: bool = False) -> ExitStack:
        stack = ExitStack()
        for _ in range(count):
            stack.enter_context(self.admission.under_way(asyncio.Timeout(None), patient=patient))
        return stack


async def test_an_idle_worker_takes_whatever_comes() -> None:
    bench = Bench(each_s=1.0)
    bench.answer(100)
    bench.admission.check(0.001)


async def test_more_than_the_bound_are_never_taken() -> None:
    bench = Bench(each_s=1.0)
    with bench.waiting(7):
        bench.admission.check(60)
    with bench.waiting(8), pytest.raises(Overloaded, match="8 queries are under way"):
        bench.admission.check(60)
    bench.admission.check(60)


async def test_whoever_would_wait_past_its_deadline_is_told_so_at_once() -> None:
    bench = Bench(each_s=0.25)
    bench.answer(200)
    with bench.waiting(4):
        assert bench.admission.expected_s == pytest.approx(2.0, rel=0.05)
        bench.admission.check(2.2)
        with pytest.raises(Overloaded, match=r"it may take 2\.00 s, and 0\.50 s are left"):
            bench.admission.check(0.5)


async def test_a_pause_in_which_nobody_asked_is_no_interval_between_answers() -> None:
    bench = Bench(each_s=0.25)
    bench.answer(200)
    bench.clock.now += 3600
    bench.answer(1)
    with bench.waiting(4):
        assert bench.admission.expected_s == pytest.approx(2.0, rel=0.05)


async def test_who_waits_for_a_position_holds_up_nobody() -> None:
    bench = Bench(each_s=0.25)
    bench.answer(200)
    with bench.waiting(7, patient=True):
        bench.clock.now += 3600
        bench.admission.check(0.1)
    assert bench.admission.expected_s == 0
    with bench.waiting(4):
        assert bench.admission.expected_s == pytest.approx(2.0, rel=0.05)


async def test_a_query_that_found_no_answer_tells_nothing() -> None:
    bench = Bench(each_s=0.25)
    bench.answer(200)
    for _ in range(50):
        with pytest.raises(LookupError):
            bench.fail(LookupError(), after_s=100)
    with bench.waiting(4):
        assert bench.admission.expected_s == pytest.approx(2.0, rel=0.05)


async def test_deadlines_that_are_missed_tell_that_it_takes_longer_now() -> None:
    bench = Bench(each_s=0.25)
    bench.answer(200)
    for _ in range(50):
        with pytest.raises(asyncio.CancelledError):
            bench.fail(asyncio.CancelledError(), after_s=2)
    with bench.waiting(4):
        assert bench.admission.expected_s > 10
    bench.answer(200)
    with bench.waiting(4):
        assert bench.admission.expected_s == pytest.approx(2.0, rel=0.05)
