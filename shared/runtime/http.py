"""The HTTP side of a worker: /metrics, /livez and /readyz as small ASGI applications."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, make_asgi_app

from shared.runtime.health import Health

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def operational_routes(health: Health, registry: CollectorRegistry) -> list[tuple[str, AsgiApp]]:
    """What an operator's tools ask every worker for."""
    return [
        ("/livez", _probe(health.not_alive)),
        ("/readyz", _probe(health.not_ready)),
        ("/metrics", make_asgi_app(registry)),
    ]


def _probe(failures: Callable[[], dict[str, str]]) -> AsgiApp:
    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        lacking = failures()
        body = msgspec.json.encode({"status": "failing" if lacking else "ok", "failing": lacking})
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 503 if lacking else 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer
