"""The names that the gateway answers to where it asks for no keys."""

import ipaddress
from collections.abc import Iterable
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.problems import Problem, respond


class OwnNames:
    """Refuses requests to a name that is not the gateway's own.

    Whoever owns a name can have it mean 127.0.0.1 after their page was loaded (DNS rebinding). To the browser, the
    gateway is then that page's own site, which may read and write as it likes. An address cannot be made to mean
    another, nor can `localhost`.

    names: those that the gateway has besides.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str] = ()) -> None:
        self._app = app
        self._names = frozenset(name.lower().removesuffix(".") for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and not self._is_own(name := _name(Headers(scope=scope).get("host", ""))):
            app = respond(
                Problem(
                    HTTPStatus.MISDIRECTED_REQUEST,
                    "unknown_name",
                    f"the gateway does not answer to the name {name[:100]!r}: use its address, or add the name to "
                    "GATEWAY_HOSTNAMES",
                )
            )
        await app(scope, receive, send)

    def _is_own(self, name: str) -> bool:
        return name == "localhost" or name.endswith(".localhost") or name in self._names or _is_address(name)


def _name(host: str) -> str:
    """What a Host header names, without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower().removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
