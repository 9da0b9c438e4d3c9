"""The last images that became searchable, for any number of listeners, each as far as it is."""

import asyncio
import secrets
from collections import deque
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from services.gateway.api.documents import Document

KEPT = 512
SHOWN_AT_FIRST = 24


class Arrival(Document):
    """An event took effect, or was rejected with a reason."""

    id: str
    kind: Literal["indexed", "deleted", "rejected"]
    after_s: float | None = Field(
        description="seconds from the upload's time to its effect; null where the clocks of both do not agree"
    )
    shard: int | None = Field(default=None, description="null where it was rejected")
    position: int | None = None
    reason: str | None = Field(default=None, description="of a rejection, for machines")
    detail: str | None = Field(default=None, description="of a rejection, for people")


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What came since a listener listened last. missed: how many before these it was too slow for."""

    arrivals: list[Arrival]
    missed: int
    bookmark: str


class Arrivals:
    """Keeps the last `kept` arrivals once for all listeners, so that a slow one costs no memory: it misses some.

    A listener has a bookmark: what it has seen. Those of another process, or that nobody gave, are as good as none.
    """

    def __init__(self, *, kept: int = KEPT) -> None:
        self._recent: deque[Arrival] = deque(maxlen=kept)
        self._count = 0
        self._changed = asyncio.Event()
        self._run = secrets.token_hex(4)

    def add(self, arrival: Arrival) -> None:
        self._recent.append(arrival)
        self._count += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def since(self, bookmark: str | None) -> News:
        """What came after the bookmark; without a good one, the last few."""
        seen = self._seen(bookmark)
        new = self._count - seen
        kept = min(new, len(self._recent))
        arrivals = [self._recent[at] for at in range(len(self._recent) - kept, len(self._recent))]
        return News(arrivals=arrivals, missed=new - kept, bookmark=f"{self._run}-{self._count}")

    async def wait(self, bookmark: str, *, timeout_s: float) -> None:
        """Until something came after the bookmark, but no longer than `timeout_s`."""
        if self._seen(bookmark) < self._count:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return

    def _seen(self, bookmark: str | None) -> int:
        run, _, count = (bookmark or "").partition("-")
        if run == self._run and count.isdecimal() and len(count) < 20 and int(count) <= self._count:
            return int(count)
        return max(0, self._count - min(SHOWN_AT_FIRST, len(self._recent)))
