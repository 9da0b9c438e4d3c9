"""So many clients, each of whom asks again as soon as it is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from benchmarks.clock import Lap

Ask = Callable[[int], Awaitable[object]]
"""Ask the question of that number, and return when the answer is there."""


@dataclass(slots=True)
class Turns:
    """What was measured in all turns of one contender with one number of clients."""

    ms: list[float] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)


async def take_turn(ask: Ask, *, clients: int, count: int, into: Turns) -> None:
    """Have `count` questions asked by so many clients, and note how long each took, and how many a second it were."""
    numbers = iter(range(count))
    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(clients):
            tasks.create_task(_client(ask, numbers, into.ms))
    into.per_s.append(count / (time.perf_counter() - started))


async def _client(ask: Ask, numbers: Iterator[int], ms: list[float]) -> None:
    for number in numbers:
        with Lap() as lap:
            await ask(number)
        ms.append(lap.ms)
