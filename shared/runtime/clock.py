"""The time of day, where a clock that is set while the process runs must not do harm."""

from collections.abc import Callable


class CautiousClock:
    """The time of day, or what it would be by a clock that cannot be set, whichever is earlier; in Unix seconds.

    For deadlines that others name: a clock that jumps ahead does not let all of them pass at once, and one that was
    ahead at the start does no harm once it is set right. One that was behind lets late ones live for as long: that
    costs work, and nobody an answer.
    """

    def __init__(self, *, now_s: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._now_s = now_s
        self._monotonic = monotonic
        self._started_at = now_s() - monotonic()

    def __call__(self) -> float:
        return min(self._now_s(), self._started_at + self._monotonic())
