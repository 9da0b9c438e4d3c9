"""The live stream over HTTP, as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.gateway.access.authentication import Authentication, CallerWith
from services.gateway.access.caller import Caller
from services.gateway.api.documents import PROBLEMS, Document
from services.gateway.live.arrivals import Arrival
from services.gateway.live.live import Live
from services.gateway.live.progress import Progress
from services.gateway.live.rates import SearchRates
from services.gateway.problems import Problem
from shared.access.keys import Scope
from shared.access.tenancy import Tenant

MAX_LISTENERS = 256
_VITALS_EVERY_S = 1.0
_GATHERED_S = 0.1
"""Arrivals that come this close to one another travel together."""

router = APIRouter(tags=["live"], responses={"4XX": PROBLEMS["4XX"], "5XX": PROBLEMS["5XX"]})


class Batch(Document):
    """missed: arrivals before these that the listener was too slow for; to a tenant, those of their own."""

    missed: int
    arrivals: list[Arrival]


class Vitals(Document):
    """hearing: whether the gateway hears what arrives. What is null is not known, and then `problem` says why."""

    hearing: bool
    searches: SearchRates | None
    progress: Progress | None
    problem: str | None


class Audience:
    """Those who listen, so many at most; and whether the gateway is about to stop, which ends their streams."""

    def __init__(self, live: Live, *, stopping: Callable[[], bool], most: int = MAX_LISTENERS) -> None:
        self._live = live
        self._stopping = stopping
        self._most = most
        self.listeners = 0

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Raises Problem where there are too many."""
        if self.listeners >= self._most:
            detail = f"{self.listeners} listen already, the most that are let: try later"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", detail)
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1

    async def events(self, bookmark: str | None, tenant: Tenant | None = None) -> AsyncGenerator[ServerSentEvent]:
        """What one listener is told, until the gateway stops. bookmark: the id of the last event that it had.

        tenant: whose images alone it is told of, if any.
        """
        loop = asyncio.get_running_loop()
        vitals_at = loop.time()
        while not self._stopping():
            news = self._live.arrivals.since(bookmark, tenant)
            if news.arrivals or news.missed or bookmark is None:
                batch = Batch(missed=news.missed, arrivals=news.arrivals)
                yield ServerSentEvent(event="arrivals", id=news.bookmark, data=batch)
            bookmark = news.bookmark
            if loop.time() >= vitals_at:
                vitals_at = loop.time() + _VITALS_EVERY_S
                yield ServerSentEvent(event="vitals", data=self._vitals(tenant))
            await asyncio.sleep(_GATHERED_S)
            await self._live.arrivals.wait(bookmark, timeout_s=max(0, vitals_at - loop.time()))

    def _vitals(self, tenant: Tenant | None) -> Vitals:
        hearing = self._live.hearing
        if tenant is not None:
            problem = "this is of all tenants, and your key is of one"
            return Vitals(hearing=hearing, searches=None, progress=None, problem=problem)
        progress, unknown = self._live.progress.look()
        return Vitals(hearing=hearing, searches=self._live.searches.rates(), progress=progress, problem=unknown)


async def _listening(request: Request) -> AsyncIterator[Audience]:
    audience: Audience = request.app.state.audience
    with audience.enter():
        yield audience


@router.get("/live", summary="Hear what becomes searchable", response_class=EventSourceResponse)
async def listen(
    request: Request,
    caller: Annotated[Caller, Depends(CallerWith(Scope.READ))],
    audience: Annotated[Audience, Depends(_listening)],
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events without end, but for a key that is removed or changed.

    `arrivals`: images that became searchable, were deleted or rejected, the last few at first, with the number of those
    that a slow listener `missed`. `vitals`, every second: the searches through this gateway, what waits for the
    workers, and the positions of all copies of the shards. Whoever comes back with `Last-Event-ID` goes on from there.
    """
    authentication: Authentication = request.app.state.authentication
    async with aclosing(audience.events(last_event_id, caller.tenant)) as events:
        async for event in events:
            if not authentication.still_knows(caller):
                return  # who comes again is told why
            yield event
