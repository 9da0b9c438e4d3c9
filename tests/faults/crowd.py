"""More is asked than can be answered: who asks, what came of it, and what must hold then."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

BOUND = 16
"""Searches that are taken at once."""
OVERLOAD = 3
MEASURED_S = 2.0
LATE = "late"
"""The outcome of a search that nobody answered."""

Ask: TypeAlias = Callable[[int, float], Awaitable[str]]
"""Asks for the n-th time, with a deadline in seconds; returns the outcome: ok, an error's code, or LATE."""


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: str
    seconds: float


class Crowd:
    """Asks, and notes what came of it."""

    def __init__(self, ask: Ask, *, deadline_s: float) -> None:
        self._ask = ask
        self._deadline_s = deadline_s
        self._asked = 0
        self.answers: list[Answer] = []

    async def ask(self) -> None:
        self._asked += 1
        began = time.perf_counter()
        outcome = await self._ask(self._asked, self._deadline_s)
        self.answers.append(Answer(outcome, time.perf_counter() - began))

    def seconds(self, *outcomes: str) -> list[float]:
        return [answer.seconds for answer in self.answers if answer.outcome in outcomes]


async def capacity(ask: Ask, *, measured_s: float = MEASURED_S) -> float:
    """Answers a second, asked for by as many as are taken at once; a few come before their place is free again."""
    crowd = Crowd(ask, deadline_s=60)
    began = time.perf_counter()

    async def insist() -> None:
        while time.perf_counter() < began + measured_s:
            await crowd.ask()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(BOUND):
            tasks.create_task(insist())
    assert not crowd.seconds(LATE)
    return len(crowd.seconds("ok")) / (time.perf_counter() - began)


async def flood(ask: Ask, *, per_s: float, deadline_s: float) -> Crowd:
    """Ask so many a second, whatever is answered."""
    crowd = Crowd(ask, deadline_s=deadline_s)
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(per_s * MEASURED_S)):
            await asyncio.sleep(began + number / per_s - time.perf_counter())
            tasks.create_task(crowd.ask())
    return crowd


async def judge_overload(ask: Ask, *, patience: float, refusals: tuple[str, ...], kept: float = 0.5) -> None:
    """At three times the capacity, nearly as many are answered as without; the others are told at once.

    patience: the deadline, in times of what those that are taken at once take together. refusals: how others are told.
    kept: the share of the capacity that good answers keep at least.
    """
    await capacity(ask, measured_s=0.5)  # until everything is warm
    before = await capacity(ask)
    deadline_s = patience * BOUND / before
    crowd = await flood(ask, per_s=OVERLOAD * before, deadline_s=deadline_s)
    after = await capacity(ask)
    good, refused = crowd.seconds("ok"), crowd.seconds(*refusals)
    figures = (
        f"{before:.0f}/s before and {after:.0f}/s after, {len(good) / MEASURED_S:.0f}/s of {OVERLOAD * before:.0f}/s, "
        f"{len(refused)} of {len(crowd.answers)} refused, deadline {deadline_s:.2f} s"
    )
    # Of both, since other work on the machine comes and goes: what it takes must not count as lost by the overload.
    assert len(good) / MEASURED_S > kept * min(before, after), figures
    assert np.percentile(good, 99) < deadline_s + 0.1, figures
    assert len(refused) / MEASURED_S > 0.5 * (OVERLOAD * before - max(before, after)), figures
    assert np.median(refused) < 0.25 * deadline_s, figures
