"""A thread of one's own, for work that must leave the event loop and must not run twice at a time."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_SHARE = 0.125
"""Of the time that urgent calls take, what others may take before they make way: a ninth of all. In that a replica
applies some nine thousand operations a second; more than that waits, while a searcher is asked without a pause."""
_MOST_OWED_S = 0.1


class SingleThread:
    """Runs calls one after another, in the order in which they were made, in one thread.

    Urgent ones do not overtake: a long call that can be done in parts asks `had_better_end` between them, ends where
    that is so, and is made again for the rest.
    """

    def __init__(self, name: str, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._clock = clock
        self._urgent: set[object] = set()
        self._owed_s = 0.0
        self._began = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)

    def had_better_end(self) -> bool:
        """Tell the call that runs whether an urgent one waits, and it has had its share of the time."""
        return bool(self._urgent) and self._clock() - self._began >= self._owed_s

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        def call() -> R:
            self._began = self._clock()
            try:
                return function(*args, **kwargs)
            finally:
                self._owed_s = max(0.0, self._owed_s - (self._clock() - self._began))

        return await self._submit(call)

    async def run_urgently(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a call in its turn, and have those before it know that it waits."""
        waits = object()

        def call() -> R:
            self._urgent.discard(waits)
            began = self._clock()
            try:
                return function(*args, **kwargs)
            finally:
                self._owed_s = min(_MOST_OWED_S, self._owed_s + _SHARE * (self._clock() - began))

        self._urgent.add(waits)
        try:
            return await self._submit(call)
        finally:
            self._urgent.discard(waits)  # the caller may have given up before its turn came

    async def _submit(self, call: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)
