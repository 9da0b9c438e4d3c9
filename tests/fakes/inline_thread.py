"""A thread that is none."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from shared.runtime.executor import SingleThread

P = ParamSpec("P")
R = TypeVar("R")


class InlineThread(SingleThread):
    """Runs each call on the loop, after all that is ready has had its turn, as a real thread's answer would come."""

    def __init__(self) -> None:
        super().__init__("inline")
        self.before: Callable[[], None] = lambda: None
        """What happens while the caller waits for the thread."""

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        await asyncio.sleep(0)
        self.before()
        return function(*args, **kwargs)
