import asyncio
from collections.abc import Callable

import pytest

from services.gateway.live import progress
from services.gateway.live.progress import Progress, ProgressWatch
from shared.bus.faults import BusUnavailable
from tests.unit.gateway.fakes import until


class Asked:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.times = 0
        self.fault: Exception | None = None

    async def __call__(self) -> Progress:
        self.times += 1
        if self.fault:
            raise self.fault
        return Progress(to_extract=self.times, to_index=0, shards=[])


async def watching(watch: ProgressWatch, check: Callable[[], bool]) -> None:
    task = asyncio.create_task(watch.run())
    try:
        await until(check)
    finally:
        task.cancel()


@pytest.fixture(autouse=True)
def without_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_EVERY_S", 0)


async def test_nobody_is_asked_while_nobody_looks() -> None:
    asked = Asked()
    now = 0.0

    def later() -> float:
        nonlocal now
        now += 4.0
        return now

    watch = ProgressWatch(asked, clock=later)
    task = asyncio.create_task(watch.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert asked.times == 0
    watch.look()
    await until(lambda: asked.times == 3)  # four and eight seconds later somebody may still look, not twelve
    for _ in range(20):
        await asyncio.sleep(0)
    assert asked.times == 3
    task.cancel()


async def test_what_cannot_be_asked_is_said_and_asked_again() -> None:
    asked = Asked()
    asked.fault = BusUnavailable("asking for the end of images.uploaded: no broker")
    watch = ProgressWatch(asked, clock=lambda: 0.0)
    assert watch.look() == (None, "asking")
    await watching(watch, lambda: watch.look()[1] != "asking")
    assert watch.look() == (None, "asking for the end of images.uploaded: no broker")
    asked.fault = None
    await watching(watch, lambda: watch.look()[1] is None)
    assert watch.look()[0] is not None
