"""What surrounds every request: its measurement, and what keeps other sites out."""

import time
from collections.abc import Collection, Mapping
from http import HTTPStatus

from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.live.rates import RecentSearches
from services.gateway.metrics import GatewayMetrics
from services.gateway.problems import Problem, respond

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SEARCH = "/search"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OTHER_SITES = frozenset({"cross-site", "same-site"})


class Dispatch:
    """Answers some paths with applications of their own, so that a probe passes nothing that may refuse it."""

    def __init__(self, app: ASGIApp, others: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._others.get(scope["path"], self._app) if scope["type"] == "http" else self._app
        await app(scope, receive, send)


class Shielded:
    """Adds the security headers, and refuses what another site makes a browser send.

    Without keys, a page from anywhere could otherwise write to the index of whoever looks at it.

    origins: of sites whose pages may all the same.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str] = ()) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        foreign = headers.get("sec-fetch-site") in _OTHER_SITES and headers.get("origin") not in self._origins
        app = _refuse_foreign if foreign and scope["method"] not in _SAFE_METHODS else self._app
        await app(scope, receive, send_with_headers)


_refuse_foreign = respond(
    Problem(HTTPStatus.FORBIDDEN, "cross_site", "pages of other sites cannot change or search this index")
)


class Measured:
    """Counts and times requests by the route that answered; the page and unknown paths count as `page`.

    searches: is told of every search as well.
    """

    def __init__(self, app: ASGIApp, metrics: GatewayMetrics, searches: RecentSearches) -> None:
        self._app = app
        self._metrics = metrics
        self._searches = searches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        outcome = "disconnected"

        async def send_and_see(message: Message) -> None:
            nonlocal outcome
            if message["type"] == "http.response.start":
                outcome = HTTPStatus(message["status"]).name.lower()
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        finally:
            route = scope.get("route")
            name = route.path if isinstance(route, APIRoute) else "page"
            self._metrics.requests.labels(name, outcome).inc()
            seconds = time.perf_counter() - started
            self._metrics.request_seconds.labels(name).observe(seconds)
            if name == _SEARCH:
                self._searches.saw(seconds, answered=outcome == "ok")
