"""How many requests a caller may send: a bucket of tokens for each, filled at a steady rate."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_REMEMBERED = 10_000
"""Callers; one that was not heard of for longest is forgotten first, and starts with a full bucket again."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """A request is let in while its caller's bucket holds a token; what it turns out to cost may leave a debt.

    per_s: tokens a second. burst: what a bucket holds. clock: monotonic, in seconds.
    """

    def __init__(self, *, per_s: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._burst = max(1.0, burst)
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        """Seconds until the caller may send a request; 0 for now."""
        return max(0.0, (1 - self._bucket(caller).tokens) / self._per_s)

    def pay(self, caller: str, tokens: float) -> None:
        self._bucket(caller).tokens -= tokens

    def _bucket(self, caller: str) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(caller, _Bucket(self._burst, now))
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._per_s)
        bucket.at = now
        return bucket
