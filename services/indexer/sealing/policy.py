"""When a shard is sealed."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.index.compaction import Occupancy
from shared.index.sealed.segment import SealedSegment
from shared.index.shard import Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPolicy:
    """When a shard is sealed: it has grown by `rows`, its newest manifest is old, or a segment has decayed.

    offsets: how far behind a manifest may fall. age_ms: after which it is written anew, since it is good for some days.
    decay_ms: how long a decayed segment waits after the newest manifest: a few rows that are replaced all the time make
    a small segment decay within seconds, and to build one takes a second, however small it is.
    """

    rows: int
    offsets: int
    age_ms: int = 24 * 60 * 60 * 1000
    decay_ms: int = 60 * 1000


@dataclass(frozen=True, slots=True)
class _Published:
    position: int
    at_s: float


class SealTimes:
    """Knows of each shard when its newest manifest was written, and so whether the next one is due.

    clock: seconds, monotonic, since the time of day jumps.
    """

    def __init__(self, policy: SealPolicy, *, clock: Callable[[], float]) -> None:
        self._policy = policy
        self._clock = clock
        self._published: dict[int, _Published] = {}

    def now(self) -> float:
        """By the clock, for `published`."""
        return self._clock()

    def published(self, shard: int, position: int, *, at_s: float) -> None:
        """The newest manifest of a shard tells of it as it was at that position, and at that time."""
        self._published[shard] = _Published(position, at_s)

    def due(self, number: int, shard: Shard) -> bool:
        published = self._published.setdefault(number, _Published(shard.restored_from, self._clock()))
        if shard.position <= published.position:
            return False
        age_ms = 1000 * (self._clock() - published.at_s)
        return (
            shard.growing_rows >= self._policy.rows
            or shard.position - published.position >= self._policy.offsets
            or age_ms >= self._policy.age_ms
            or (age_ms >= self._policy.decay_ms and any(map(_decayed, shard.sealed.values())))
        )


def _decayed(segment: SealedSegment) -> bool:
    return Occupancy(segment.name, segment.description.rows, len(segment)).decayed
