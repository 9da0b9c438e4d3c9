"""How many searches went through this gateway a moment ago, and how long they took."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import Field

from services.gateway.api.documents import Document

WINDOW_S = 30.0
_REMEMBERED = 20_000


class SearchRates(Document):
    """Of the last seconds. Times are those of the requests that were answered with hits, as the gateway saw them."""

    per_second: float
    p50_ms: float | None = Field(description="null where there was none")
    p99_ms: float | None
    failed: int = Field(description="requests that got a problem for an answer, such as overloaded")
    window_s: float


@dataclass(frozen=True, slots=True)
class _Search:
    at: float
    seconds: float
    answered: bool


class RecentSearches:
    """Bounded: where there were more than it remembers, it tells of the time that these took.

    clock: seconds, which never jump.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._searches: deque[_Search] = deque(maxlen=_REMEMBERED)

    def saw(self, seconds: float, *, answered: bool) -> None:
        self._searches.append(_Search(self._clock(), seconds, answered))

    def rates(self) -> SearchRates:
        now = self._clock()
        while self._searches and self._searches[0].at < now - WINDOW_S:
            self._searches.popleft()
        crowded = len(self._searches) == _REMEMBERED
        window_s = max(now - self._searches[0].at, 1e-3) if crowded else WINDOW_S
        times = sorted(search.seconds for search in self._searches if search.answered)
        return SearchRates(
            per_second=round(len(times) / window_s, 3),
            p50_ms=_percentile_ms(times, 0.5),
            p99_ms=_percentile_ms(times, 0.99),
            failed=len(self._searches) - len(times),
            window_s=round(window_s, 3),
        )


def _percentile_ms(times: list[float], share: float) -> float | None:
    """The smallest time that at least this share of the sorted `times` (in seconds) is not above."""
    if not times:
        return None
    rank = max(0, -int(-share * len(times) // 1) - 1)
    return round(1000 * times[rank], 3)
