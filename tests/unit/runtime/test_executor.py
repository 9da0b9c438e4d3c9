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
