"""Keeps what a cached extraction reports."""

from shared.cache.observer import Lookup


class RecordingCacheObserver:
    """Implements CacheObserver."""

    def __init__(self) -> None:
        self.outcomes: list[Lookup] = []
        self.saved_s = 0.0

    def looked_up(self, outcome: Lookup, seconds: float) -> None:
        assert seconds >= 0
        self.outcomes.append(outcome)

    def saved(self, device_s: float) -> None:
        self.saved_s += device_s
