"""A process: something that runs until it is killed."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Process:
    def __init__(self, *work: Coroutine[Any, Any, None]) -> None:
        self._tasks = [asyncio.create_task(one) for one in work]

    async def kill(self) -> None:
        """End it between any two of its steps. Raises what ended it before, if it ended by itself."""
        for task in self._tasks:
            task.cancel()
        for error in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(error, Exception):
                raise error

    def check(self) -> None:
        """Raise what ended it, if it ended by itself."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error
