"""A thread of one's own, for work that must leave the event loop and must not run twice at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class SingleThread:
    """Runs calls one after another, in the order in which they were made, in one thread."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._urgent: set[object] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: function(*args, **kwargs))

    @property
    def urgently_wanted(self) -> bool:
        """Whether a call of `run_urgently` waits: a long one that sees it had better end soon, and be made again."""
        return bool(self._urgent)

    async def run_urgently(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a call in its turn, and have those before it know that it waits."""
        waits = object()

        def call() -> R:
            self._urgent.discard(waits)
            return function(*args, **kwargs)

        self._urgent.add(waits)
        try:
            return await self.run(call)
        finally:
            self._urgent.discard(waits)  # the caller may have given up before its turn came
