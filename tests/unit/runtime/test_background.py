"""The background tasks of a worker."""

import asyncio

import pytest

from shared.runtime.background import BackgroundTasks


async def forever(log: list[str]) -> None:
    log.append("began")
    try:
        await asyncio.Event().wait()
    finally:
        log.append("ended")


async def defect() -> None:
    raise ZeroDivisionError


async def test_leaving_ends_what_still_runs_and_waits_for_it() -> None:
    log: list[str] = []
    async with BackgroundTasks(on_failure=lambda: log.append("failed")) as tasks:
        tasks.spawn(forever(log), name="forever")
        await asyncio.sleep(0)
    assert log == ["began", "ended"]
    assert not tasks.failed


async def test_the_first_task_that_fails_stops_the_worker_and_leaves_the_others_to_it() -> None:
    log: list[str] = []
    async with BackgroundTasks(on_failure=lambda: log.append("failed")) as tasks:
        tasks.spawn(forever(log), name="forever")
        tasks.spawn(defect(), name="defect")
        await asyncio.sleep(0.01)
        assert log == ["began", "failed"]
        assert tasks.failed
    assert log == ["began", "failed", "ended"]


async def test_a_task_that_ends_by_itself_is_no_failure() -> None:
    async with BackgroundTasks(on_failure=lambda: pytest.fail("it did not fail")) as tasks:
        tasks.spawn(asyncio.sleep(0), name="short")
        await asyncio.sleep(0.01)
    assert not tasks.failed


async def test_a_task_that_is_cancelled_from_within_has_failed_and_stops_the_worker() -> None:
    async def undermined() -> None:
        raise asyncio.CancelledError

    log: list[str] = []
    async with BackgroundTasks(on_failure=lambda: log.append("failed")) as tasks:
        tasks.spawn(forever(log), name="forever")
        tasks.spawn(undermined(), name="undermined")
        await asyncio.sleep(0.01)
        assert log == ["began", "failed"]
    assert log == ["began", "failed", "ended"]
