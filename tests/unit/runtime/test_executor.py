"""A thread of one's own."""

import asyncio
import threading

import pytest

from shared.runtime.executor import SingleThread


async def test_calls_run_one_after_another_in_the_order_they_were_made_in_one_thread() -> None:
    order: list[int] = []
    threads: set[int] = set()

    def call(number: int) -> int:
        threads.add(threading.get_ident())
        order.append(number)
        return number

    with SingleThread("test") as thread:
        results = await asyncio.gather(*[thread.run(call, number) for number in range(100)])
    assert order == results == list(range(100))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_what_the_call_raises_reaches_its_caller_and_the_thread_goes_on() -> None:
    with SingleThread("test") as thread:
        with pytest.raises(ZeroDivisionError):
            await thread.run(divmod, 1, 0)
        assert await thread.run(divmod, 7, 2) == (3, 1)


async def test_a_long_call_learns_that_an_urgent_one_waits_and_only_while_it_does() -> None:
    started, seen = threading.Event(), []

    def long() -> None:
        started.set()
        while not thread.had_better_end():
            pass
        seen.append("wanted")

    with SingleThread("test") as thread:
        working = asyncio.create_task(thread.run(long))
        await asyncio.to_thread(started.wait)
        await thread.run_urgently(seen.append, "urgent")
        await working
        assert seen == ["wanted", "urgent"]
        assert not thread.had_better_end()


async def test_beside_urgent_calls_others_get_a_ninth_of_the_time() -> None:
    now_s = worked_s = 0.0

    def search() -> None:
        nonlocal now_s
        now_s += 0.010

    def long() -> None:
        nonlocal now_s, worked_s
        one_waits.wait()
        while not thread.had_better_end():
            now_s += 0.0001
            worked_s += 0.0001

    with SingleThread("test", clock=lambda: now_s) as thread:
        for _ in range(20):
            one_waits = threading.Event()
            working = asyncio.create_task(thread.run(long))
            await asyncio.sleep(0)  # it is in the thread
            searching = asyncio.create_task(thread.run_urgently(search))
            await asyncio.sleep(0)  # and the search in the queue behind it
            one_waits.set()
            await asyncio.gather(working, searching)
    assert worked_s / now_s == pytest.approx(1 / 9, abs=0.02)


async def test_an_urgent_caller_that_gives_up_is_not_waited_for() -> None:
    gate = threading.Event()
    with SingleThread("test") as thread:
        working = asyncio.create_task(thread.run(gate.wait))
        urgent = asyncio.create_task(thread.run_urgently(divmod, 7, 2))
        await asyncio.sleep(0.01)
        assert thread.had_better_end()
        urgent.cancel()
        await asyncio.gather(urgent, return_exceptions=True)
        assert not thread.had_better_end()
        gate.set()
        await working
