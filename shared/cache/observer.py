"""What a cached extraction tells about its lookups."""

from enum import StrEnum
from typing import Protocol


class Lookup(StrEnum):
    """What came of the search for an image. The values are a public contract: they stand in metrics and dashboards."""

    HIT = "hit"
    JOINED = "joined"
    """The same image was under way here already, and what came of it was taken."""
    MISS = "miss"
    UNAVAILABLE = "unavailable"
    """The cache could not say in time."""


class CacheObserver(Protocol):
    """Hears of every image, on the event loop. Must not block."""

    def looked_up(self, outcome: Lookup, seconds: float) -> None:
        """One image was looked up, in so many seconds, without what it took to wait for an image that it joined."""

    def saved(self, device_s: float) -> None:
        """An image needed no encoding, which took so many seconds of the device when it was done."""
