import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import Event

import pytest

from shared.encoders.engine.batching import MicroBatcher
from shared.events.faults import TransientFault


class Doubler:
    """A device that doubles numbers, and can be held while a test arranges what waits for it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.started = Event()
        self.go_on = Event()
        self.go_on.set()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.batches.append(list(numbers))
        self.started.set()
        assert self.go_on.wait(timeout=10)
        if -1 in numbers:
            raise ArithmeticError("the device does not like -1")
        return [2 * number for number in numbers]


@asynccontextmanager
async def batching(
    device: Doubler,
    max_items: int = 4,
    max_waiting: int = 100,
    max_wait_s: float = 0.0,
    coming: Callable[[], int] = lambda: 0,
) -> AsyncIterator[MicroBatcher[int, int]]:
    with ThreadPoolExecutor(1) as executor:
        batcher = MicroBatcher(
            device, executor, max_items=max_items, max_waiting=max_waiting, max_wait_s=max_wait_s, coming=coming
        )
        batcher.start()
        try:
            yield batcher
        finally:
            device.go_on.set()
            await batcher.stop()


async def held(device: Doubler, batcher: MicroBatcher[int, int], number: int = 0) -> asyncio.Task[int]:
    """Occupy the device with one item, and return the task that waits for it."""
    device.go_on.clear()
    task = asyncio.ensure_future(batcher.submit(number))
    await asyncio.to_thread(device.started.wait, 10)
    return task


async def test_an_idle_device_starts_with_a_single_item() -> None:
    device = Doubler()
    async with batching(device) as batcher:
        assert await batcher.submit(21) == 42
    assert device.batches == [[21]]


async def test_a_busy_device_gets_full_batches_in_order() -> None:
    device = Doubler()
    async with batching(device) as batcher:
        first = await held(device, batcher)
        others = asyncio.gather(*(batcher.submit(number) for number in range(1, 10)))
        await asyncio.sleep(0)
        device.go_on.set()
        assert await others == [2 * number for number in range(1, 10)]
        assert await first == 0
    assert device.batches == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9]]


async def test_an_idle_device_waits_for_what_is_known_to_come() -> None:
    device = Doubler()
    async with batching(device, max_wait_s=10.0, coming=lambda: 1) as batcher:
        first = asyncio.ensure_future(batcher.submit(1))
        await asyncio.sleep(0)
        assert await asyncio.gather(first, *(batcher.submit(number) for number in (2, 3, 4))) == [2, 4, 6, 8]
    assert device.batches == [[1, 2, 3, 4]]


async def test_an_idle_device_waits_for_nobody_else() -> None:
    device = Doubler()
    async with batching(device, max_wait_s=10.0) as batcher:
        async with asyncio.timeout(5):
            assert await batcher.submit(21) == 42


async def test_what_does_not_come_is_not_waited_for_longer_than_agreed() -> None:
    device = Doubler()
    async with batching(device, max_wait_s=0.001, coming=lambda: 1) as batcher:
        async with asyncio.timeout(5):
            assert await batcher.submit(21) == 42


async def test_an_error_of_the_device_reaches_its_own_batch_and_no_other() -> None:
    device = Doubler()
    async with batching(device, max_items=2) as batcher:
        first = await held(device, batcher)
        others = asyncio.gather(*(batcher.submit(number) for number in (-1, 1, 2)), return_exceptions=True)
        await asyncio.sleep(0)
        device.go_on.set()
        errors = await others
        assert await first == 0
    assert [str(error) for error in errors] == ["the device does not like -1"] * 2 + ["4"]
    assert isinstance(errors[0], ArithmeticError)


async def test_whoever_left_is_not_computed() -> None:
    device = Doubler()
    async with batching(device) as batcher:
        first = await held(device, batcher)
        stays, leaves = (asyncio.ensure_future(batcher.submit(number)) for number in (1, 2))
        await asyncio.sleep(0)
        leaves.cancel()
        await asyncio.wait([leaves])
        device.go_on.set()
        assert await asyncio.gather(first, stays) == [0, 2]
    assert device.batches == [[0], [1]]


async def test_whoever_leaves_while_the_device_works_harms_nobody() -> None:
    device = Doubler()
    async with batching(device) as batcher:
        first = await held(device, batcher)
        first.cancel()
        await asyncio.wait([first])
        device.go_on.set()
        assert await batcher.submit(1) == 2


async def test_no_more_wait_than_agreed() -> None:
    device = Doubler()
    async with batching(device, max_waiting=2, max_items=1) as batcher:
        first = await held(device, batcher)
        waiting = [asyncio.ensure_future(batcher.submit(number)) for number in (1, 2)]
        await asyncio.sleep(0)
        with pytest.raises(asyncio.QueueFull):
            await batcher.submit(3)
        device.go_on.set()
        assert await asyncio.gather(first, *waiting) == [0, 2, 4]


async def test_a_stop_fails_all_who_wait() -> None:
    device = Doubler()
    async with batching(device) as batcher:
        tasks = [await held(device, batcher), asyncio.ensure_future(batcher.submit(1))]
        await asyncio.sleep(0)
        await batcher.stop()
        errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in errors] == [TransientFault, TransientFault]


async def test_nothing_is_taken_in_before_the_start_or_after_the_stop() -> None:
    with ThreadPoolExecutor(1) as executor:
        batcher = MicroBatcher(Doubler(), executor, max_items=1, max_waiting=1)
        await batcher.stop()
        with pytest.raises(TransientFault):
            await batcher.submit(1)
        batcher.start()
        await batcher.stop()
        with pytest.raises(TransientFault):
            await batcher.submit(1)
