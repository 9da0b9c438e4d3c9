"""Traces of HTTP requests. FastAPI makes their spans, where it is told to; what it does not do is answer with them."""

from collections.abc import MutableMapping
from typing import Any

from fastapi.telemetry import TelemetryConfig
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime import tracing


def telemetry() -> TelemetryConfig:
    """What FastAPI records: a span of each request where this process traces, and nothing else."""
    return {
        "tracing": tracing.active(),
        "tracer_provider": tracing.provider(),
        "operation_spans": False,
        "metrics": False,  # there are our own
        "logs": False,
        "auto_configure": False,
        "exclude": _endless,
    }


def _endless(scope: MutableMapping[str, Any]) -> bool:
    """The live stream lasts as long as somebody listens."""
    return bool(scope["path"] == "/live")


class AnswerTrace:
    """Adds `traceparent` to an answer, so that whoever asked can find the trace. Stands within FastAPI's span."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_trace(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in tracing.headers():
                    headers[name] = value.decode()
            await send(message)

        await self._app(scope, receive, send_with_trace)
