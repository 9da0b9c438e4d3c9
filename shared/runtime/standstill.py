"""Notices work that hangs: it has begun, and neither ends nor tries anything again."""

from collections.abc import Callable

HUNG_AFTER_S = 900.0
"""Above all that a worker waits for by itself: the longest deadline of a query, ten minutes, among it."""


class Standstill:
    """A liveness check: fails when something is under way, and its progress was the same for a quarter of an hour.

    progress: None while nothing is under way, else what changes with every step, and with every attempt that failed:
    who tries again and again to reach a server that is away is not helped by a restart. It is asked at each probe.
    what: that is under way, for the message. clock: seconds, monotonic.
    """

    def __init__(self, progress: Callable[[], object | None], *, what: str, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._what = what
        self._clock = clock
        self._seen: object | None = None
        self._since = clock()

    def __call__(self) -> str | None:
        progress, now = self._progress(), self._clock()
        if progress is None or progress != self._seen:
            self._seen, self._since = progress, now
        hung_s = now - self._since
        return f"{self._what} has hung for {hung_s:.0f} s" if hung_s > HUNG_AFTER_S else None
