"""What libraries say again and again, said now and then: a client whose server is gone tells so ten times a second."""

import logging
from collections.abc import Callable

_KNOWN_MESSAGES = 1000
"""A library that makes up its messages anew each time must not fill the memory."""


class NowAndThen(logging.Filter):
    """Passes a message of some loggers once in `every_s` seconds, with the number of those that were left out.

    Two are the same that differ in nothing but their arguments. What other loggers say passes always.

    loggers: their names; their descendants count. clock: seconds, monotonic.
    """

    def __init__(self, loggers: tuple[str, ...], *, every_s: float, clock: Callable[[], float]) -> None:
        super().__init__()
        self._loggers = loggers
        self._every_s = every_s
        self._clock = clock
        self._passed_at: dict[tuple[str, str], float] = {}
        self._left_out: dict[tuple[str, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not any(record.name == name or record.name.startswith(f"{name}.") for name in self._loggers):
            return True
        key, now = (record.name, str(record.msg)), self._clock()
        if key in self._passed_at and now - self._passed_at[key] < self._every_s:
            self._left_out[key] = self._left_out.get(key, 0) + 1
            return False
        if len(self._passed_at) >= _KNOWN_MESSAGES:
            self._passed_at.clear()
            self._left_out.clear()
        self._passed_at[key] = now
        if left_out := self._left_out.pop(key, 0):
            record.msg = f"{record.getMessage()} ({left_out} more like this since the last)"
            record.args = None
        return True
