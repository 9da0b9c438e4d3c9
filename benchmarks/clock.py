"""Milliseconds by `time.perf_counter`."""

import time
from types import TracebackType
from typing import Self


class Lap:
    """Times a block. ms: how long it took, once it is left."""

    ms = 0.0

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ms = 1000 * (time.perf_counter() - self._started)
