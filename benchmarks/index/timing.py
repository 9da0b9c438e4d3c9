"""How long something takes: by the clock, and of the processor, which neighbours on the machine disturb less."""

import os
import time
from types import TracebackType
from typing import NamedTuple, Self


class Rate(NamedTuple):
    """How many in a second of each."""

    wall: float
    cpu: float


class Timer:
    """Times a block. cpu_s: of all threads of this process, and of the children that it waited for."""

    wall_s = 0.0
    cpu_s = 0.0

    def __enter__(self) -> Self:
        self._wall, self._cpu = time.perf_counter(), _cpu_s()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wall_s, self.cpu_s = time.perf_counter() - self._wall, _cpu_s() - self._cpu

    def rate(self, count: int) -> Rate:
        return Rate(count / self.wall_s, count / self.cpu_s)


def _cpu_s() -> float:
    times = os.times()
    return time.process_time() + times.children_user + times.children_system
