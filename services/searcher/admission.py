"""Which queries are taken: as many as are answered before their deadlines, and never more than a bound."""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_WEIGHT = 1 / 32
"""Of the last answer in the mean of the intervals."""
_CAUTION = 2.0
"""An image waits for all that are in its batch, and for the batch before it."""


class Overloaded(Exception):
    """There is no room, or no time; the text says which."""


class Admission:
    """Knows who is under way, and how fast they are answered. Belongs to one event loop.

    Whoever would wait for longer than until its deadline is better told at once: taken in, it would hold up those
    behind it, and get nothing. How long it may wait is known by those before it, and by the mean interval between
    answers while there was somebody to answer.
    """

    def __init__(self, max_in_flight: int, *, clock: Callable[[], float]) -> None:
        """clock: seconds, monotonic."""
        self._max = max_in_flight
        self._clock = clock
        self._under_way: set[asyncio.Timeout] = set()
        self._patient = 0
        """Of those under way, who may wait for something else than for their turn."""
        self._interval_s = 0.0
        self._answered_at = -math.inf

    def __len__(self) -> int:
        return len(self._under_way)

    def __iter__(self) -> Iterator[asyncio.Timeout]:
        return iter(self._under_way)

    @property
    def expected_s(self) -> float:
        """How long one that came now may take to be answered, behind those that are under way."""
        return _CAUTION * (len(self._under_way) - self._patient) * self._interval_s

    def check(self, left_s: float) -> None:
        """Raises Overloaded for a query that has so much time left."""
        if len(self._under_way) >= self._max:
            raise Overloaded(f"{len(self._under_way)} queries are under way, the most that are taken: try later")
        if self.expected_s > left_s:
            raise Overloaded(
                f"{len(self._under_way)} queries are under way, behind which it may take {self.expected_s:.2f} s, "
                f"and {left_s:.2f} s are left until the deadline: try later, or give it longer"
            )

    @contextmanager
    def under_way(self, limit: asyncio.Timeout, *, patient: bool = False) -> Iterator[None]:
        """limit: what ends it. One that ends otherwise, and raises nothing, counts as answered.

        patient: it may wait for something else than for its turn, and tells nothing of how fast others have theirs.
        """
        if len(self._under_way) == self._patient:
            self._answered_at = self._clock()  # the next answer is to somebody who waited for nobody
        self._under_way.add(limit)
        self._patient += patient
        try:
            yield
            if not patient:
                self._answered()
        except asyncio.CancelledError:  # as the limit ends it
            if not patient:
                self._learn(max(self._interval_s, self._clock() - self._answered_at))
            raise
        finally:
            self._under_way.discard(limit)
            self._patient -= patient

    def _answered(self) -> None:
        now = self._clock()
        self._learn(now - self._answered_at)
        self._answered_at = now

    def _learn(self, interval_s: float) -> None:
        self._interval_s += _WEIGHT * (interval_s - self._interval_s)
