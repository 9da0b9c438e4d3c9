"""Work that blocks, one step at a time.

What blocks runs in threads (`asyncio.to_thread`). Here such a thread runs only while the loop stands still, and halts
before everything that it does to the world outside; it goes on when simulated time has passed. So the order of all
steps follows from the seed, everybody else may act between two of them, and a process may die between any two.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any, ParamSpec, TypeVar

from tests.fakes.virtual_time import VirtualTimeLoop

P = ParamSpec("P")
R = TypeVar("R")

_here = threading.local()


def step() -> None:
    """Halt here, where this thread is one of a simulation."""
    if (call := getattr(_here, "call", None)) is not None:
        call.halt()


class SteppedLoop(VirtualTimeLoop):
    """latency: gives the simulated seconds that a step takes."""

    def __init__(self) -> None:
        super().__init__()
        self.latency: Callable[[], float] = lambda: 0.0

    def run_in_executor(  # type: ignore[override]  # a task is a future
        self,
        executor: Executor | None,
        func: Callable[..., Any],
        *args: Any,
    ) -> asyncio.Future[Any]:
        return self.create_task(self._run(_SteppedCall(partial(func, *args))))

    async def _run(self, call: "_SteppedCall") -> Any:
        try:
            while not call.run_on():  # noqa: ASYNC110 - it waits for simulated time to pass
                await asyncio.sleep(self.latency())
        except asyncio.CancelledError:
            call.kill()
            raise
        return call.outcome.result()


class _Killed(BaseException):
    """Unwinds a thread whose process was killed."""


class _SteppedCall:
    """One call in a thread of its own. Either the thread runs or the loop, never both."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.outcome: Future[Any] = Future()
        self._function = function
        self._go = threading.Semaphore(0)
        self._halted = threading.Semaphore(0)
        self._killed = False
        self._thread = threading.Thread(target=self._main, daemon=True)

    def run_on(self) -> bool:
        """Let the thread run to its next step; whether it has ended."""
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._go.release()
        self._halted.acquire()
        return self.outcome.done()

    def kill(self) -> None:
        self._killed = True
        self.run_on()

    def halt(self) -> None:
        if not self._killed:
            self._halted.release()
            self._go.acquire()
        if self._killed:
            raise _Killed

    def _main(self) -> None:
        _here.call = self
        try:
            self.outcome.set_result(self._function())
        except BaseException as error:  # noqa: BLE001 - handed on to whoever awaits it
            self.outcome.set_exception(error)
        finally:
            self._halted.release()
