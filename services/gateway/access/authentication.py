"""From a request to its caller."""

import math
from http import HTTPStatus

from fastapi import Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.access.caller import Caller
from services.gateway.access.key_ring import KeyRing
from services.gateway.access.rate import RateLimit
from services.gateway.problems import Problem, respond
from shared.access import keys

_SCHEME = "bearer "


class Authentication:
    """Knows callers by their key; where there is no ring of keys, by their address. Both at a limited rate."""

    def __init__(self, ring: KeyRing | None, rate: RateLimit) -> None:
        self._ring = ring
        self._rate = rate

    @property
    def takes_keys(self) -> bool:
        return self._ring is not None

    def caller(self, connection: HTTPConnection) -> Caller:
        """Raises Problem for a request without a good key, or with one that comes too often."""
        if (caller := self.known(connection)) is None:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "unauthorized",
                "this takes a good API key, in the header 'Authorization: Bearer KEY'",
            )
        return caller

    def still_knows(self, caller: Caller) -> bool:
        """Whether the key that the caller came with is there yet, and good for the same."""
        return self._ring is None or (caller.key is not None and self._ring.holds(caller.key))

    def known(self, connection: HTTPConnection) -> Caller | None:
        """The same; None for a request without a good key."""
        stranger = Caller.at(connection.client.host if connection.client else "unknown")
        caller = stranger if self._ring is None else self._with_key(self._ring, connection.headers)
        name = (caller or stranger).name
        if (wait_s := self._rate.wait_s(name)) > 0:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too_many_requests",
                f"{name} sends more requests than it may: try again in {wait_s:.1f} s",
                retry_after_s=math.ceil(wait_s),
            )
        self._rate.pay(name, 1)
        return caller

    @staticmethod
    def _with_key(ring: KeyRing, headers: Headers) -> Caller | None:
        given = headers.get("authorization", "")
        if given[: len(_SCHEME)].lower() != _SCHEME:
            return None
        key = ring.find(given[len(_SCHEME) :].strip())
        return Caller.with_key(key) if key else None


class KeyWith(SecurityBase):
    """What a route is for callers with one scope alone; the API's description says that it takes a key."""

    def __init__(self, scope: keys.Scope) -> None:
        self.scheme_name = "key"
        self.model = HTTPBearerModel(description="where the gateway has keys; `afterimage keys add` makes one")
        self._scope = scope

    def caller(self, request: Request) -> Caller:
        """Raises Problem for whoever may not."""
        authentication: Authentication = request.app.state.authentication
        caller = authentication.caller(request)
        caller.check(self._scope)
        return caller


class CallerWith(KeyWith):
    """A dependency: the caller."""

    async def __call__(self, request: Request) -> Caller:
        return self.caller(request)


class Guarded:
    """An application for callers with one scope alone."""

    def __init__(self, app: ASGIApp, authentication: Authentication, scope: keys.Scope) -> None:
        self._app = app
        self._authentication = authentication
        self._scope = scope

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        try:
            self._authentication.caller(HTTPConnection(scope)).check(self._scope)
        except Problem as problem:
            app = respond(problem)
        await app(scope, receive, send)
