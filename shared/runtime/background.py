"""The background tasks of a worker: each belongs to one group, and none dies unnoticed."""

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Self

from shared.runtime.logging import get_logger

log = get_logger(__name__)


class BackgroundTasks:
    """Runs tasks that last as long as the worker. The first that fails is logged and stops the worker.

    One that is cancelled from within, by whatever it called, has failed too.

    Leaving the context cancels what still runs and waits for it.
    """

    def __init__(self, *, on_failure: Callable[[], None]) -> None:
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[None]] = set()
        self._group = asyncio.TaskGroup()
        self._leaving = False
        self.failed = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving = True
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(kind, error, trace)

    def spawn(self, work: Coroutine[object, object, None], *, name: str) -> None:
        task = self._group.create_task(self._guard(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(self, work: Coroutine[object, object, None], name: str) -> None:
        try:
            await work
        except asyncio.CancelledError:
            if not self._leaving:
                log.critical("background_task_cancelled", task=name)
                self._fail()
            raise
        except Exception:
            log.critical("background_task_failed", task=name, exc_info=True)
            self._fail()

    def _fail(self) -> None:
        self.failed = True
        self._on_failure()
