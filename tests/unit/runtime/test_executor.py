"""A thread of one's own."""

import asyncio
import threading
import time

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


async def test_beside_urgent_calls_others_get_a_fifth_of_the_time() -> None:
    worked: list[float] = []

    def long() -> None:
        began = time.perf_counter()
        while not thread.had_better_end() and not searching.done():
            pass
        worked.append(time.perf_counter() - began)

    with SingleThread("test") as thread:

        async def search() -> None:
            for _ in range(20):
                await thread.run_urgently(time.sleep, 0.01)

        searching = asyncio.gather(search(), search())
        while not searching.done():
            await thread.run(long)
            await asyncio.sleep(0)
    assert 0.3 <= sum(worked) / (0.25 * 0.4) <= 2


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
