"""An event loop whose clock jumps to the next timer as soon as nothing else is left to do."""

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_PATIENCE_S = 10.0


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:  # no timer either: only a thread could still wake the loop up
            if not (ready := super().select(_PATIENCE_S)):
                raise AssertionError("every task waits for something that nobody is going to do")
            return ready
        self.now += max(timeout, 0)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Starts at 0 s. Sleeping takes no time, and the order of events depends on nothing but the program."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own, as `asyncio.run` does, without waiting for any timer."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def loop_time() -> float:
    """The clock of the running loop, for code that has its clock injected."""
    return asyncio.get_running_loop().time()


def loop_factories() -> Mapping[str, type[VirtualTimeLoop]]:
    """What a conftest's `pytest_asyncio_loop_factories` gives, so that the tests beside it run in virtual time."""
    return {"virtual": VirtualTimeLoop}
