"""Who gets in: as many requests at once as there is room for, and none while there is no index to ask."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request

from services.gateway.access.authentication import KeyWith
from services.gateway.access.caller import Caller
from services.gateway.access.rate import RateLimit
from services.gateway.access.tenant_index import TenantIndex
from services.gateway.connection import Connection
from services.gateway.image_index import ImageIndex
from services.gateway.problems import Problem
from shared.access.keys import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionPolicy:
    """max_in_flight: requests under way at once. max_in_flight_each: of one caller."""

    max_in_flight: int
    max_in_flight_each: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What one request gets.

    index: what its caller may reach of it. rate: how many requests its caller may send.
    """

    caller: Caller
    index: ImageIndex
    rate: RateLimit

    def pay(self, requests: int) -> None:
        """Have the request count as so many."""
        self.rate.pay(self.caller.name, requests - 1)

    async def take_turn(self) -> None:
        """Wait as long as the rate asks for, and count as one request more."""
        await asyncio.sleep(self.rate.wait_s(self.caller.name))
        self.rate.pay(self.caller.name, 1)


class Admission:
    """Bounds the requests under way, and with them the memory that their bodies take."""

    def __init__(self, connection: Connection, rate: RateLimit, policy: AdmissionPolicy) -> None:
        self._connection = connection
        self._rate = rate
        self._policy = policy
        self._of_caller: Counter[str] = Counter()
        self.in_flight = 0

    @contextmanager
    def enter(self, caller: Caller) -> Iterator[Visit]:
        """Lend the index to one request. Raises Problem, at once, where it must come back later."""
        index = self._connection.index
        if index is None:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", self._connection.not_connected() or "")
        if self._of_caller[caller.name] >= self._policy.max_in_flight_each:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too_many_at_once",
                f"{self._of_caller[caller.name]} requests of {caller.name} are under way, the most that it may have",
            )
        if self.in_flight >= self._policy.max_in_flight:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "overloaded",
                f"{self.in_flight} requests are under way, the most that are taken: try later",
            )
        self.in_flight += 1
        self._of_caller[caller.name] += 1
        try:
            yield Visit(
                caller=caller,
                index=index if caller.tenant is None else TenantIndex(index, caller.tenant),
                rate=self._rate,
            )
        finally:
            self.in_flight -= 1
            self._of_caller[caller.name] -= 1
            if not self._of_caller[caller.name]:
                del self._of_caller[caller.name]


class Admitted(KeyWith):
    """A dependency: the visit of a caller with a scope. One and no more of them, since each takes time."""

    async def __call__(self, request: Request) -> AsyncIterator[Visit]:
        admission: Admission = request.app.state.admission
        with admission.enter(self.caller(request)) as visit:
            yield visit


# Declared before what reads the body: a request that is turned away costs no memory.
Reading = Annotated[Visit, Depends(Admitted(Scope.READ))]
Writing = Annotated[Visit, Depends(Admitted(Scope.WRITE))]
