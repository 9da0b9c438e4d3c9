"""The last images that became searchable, for any number of listeners, each as far as it is."""

import asyncio
import re
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from services.gateway.api.documents import Document
from shared.access.tenancy import Tenant

KEPT = 512
SHOWN_AT_FIRST = 24
_TENANTS = 10_000
"""Of which it is known how many arrivals they had; the one that had none for longest is forgotten first."""


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


_BOOKMARK = re.compile(r"(?P<run>[0-9a-f]{8})-(?P<all>[0-9]{1,19})(-(?P<own>[0-9]{1,19}))?")


@dataclass(frozen=True, slots=True)
class _Seen:
    """How many a listener has seen of all, and of its tenant's if it has one."""

    all: int
    own: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What came since a listener listened last. missed: how many before these it was too slow for."""

    arrivals: list[Arrival]
    missed: int
    bookmark: str


class Arrivals:
    """Keeps the last `kept` arrivals once for all listeners, so that a slow one costs no memory: it misses some.

    A listener has a bookmark: how much it has seen of all, and of its tenant's. Those of another process, or that
    nobody gave, are as good as none.
    """

    def __init__(self, *, kept: int = KEPT) -> None:
        self._recent: deque[Arrival] = deque(maxlen=kept)
        self._count = 0
        self._of_tenant: OrderedDict[str, int] = OrderedDict()
        self._changed = asyncio.Event()
        self._run = secrets.token_hex(4)

    def add(self, arrival: Arrival) -> None:
        self._recent.append(arrival)
        self._count += 1
        name, slash, _ = arrival.id.partition("/")
        if slash:
            self._of_tenant[name] = self._of_tenant.pop(name, 0) + 1
            if len(self._of_tenant) > _TENANTS:
                self._of_tenant.popitem(last=False)
        self._changed.set()
        self._changed = asyncio.Event()

    def since(self, bookmark: str | None, tenant: Tenant | None = None) -> News:
        """What came after the bookmark; without a good one, the last few. tenant: whose alone, by their own ids."""
        seen = self._seen(bookmark)
        new = self._count - (self._at_first if seen is None else seen.all)
        kept = min(new, len(self._recent))
        arrivals = [self._recent[at] for at in range(len(self._recent) - kept, len(self._recent))]
        if tenant is None:
            return News(arrivals=arrivals, missed=new - kept, bookmark=f"{self._run}-{self._count}")
        mine = [
            arrival.model_copy(update={"id": tenant.own_id(arrival.id)})
            for arrival in arrivals
            if tenant.owns(arrival.id)
        ]
        count = self._of_tenant.get(tenant.name, 0)
        missed = 0 if seen is None or seen.own is None else max(0, count - seen.own - len(mine))
        return News(arrivals=mine, missed=missed, bookmark=f"{self._run}-{self._count}-{count}")

    async def wait(self, bookmark: str, *, timeout_s: float) -> None:
        """Until something came after the bookmark, but no longer than `timeout_s`."""
        seen = self._seen(bookmark)
        if seen is None or seen.all < self._count:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return

    @property
    def _at_first(self) -> int:
        """How many came before those that a new listener is shown."""
        return max(0, self._count - min(SHOWN_AT_FIRST, len(self._recent)))

    def _seen(self, bookmark: str | None) -> _Seen | None:
        read = _BOOKMARK.fullmatch(bookmark or "")
        if read is None or read["run"] != self._run or int(read["all"]) > self._count:
            return None
        return _Seen(int(read["all"]), None if read["own"] is None else int(read["own"]))
