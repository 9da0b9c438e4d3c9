"""A worker is heard until its work is done: its port stays open while the application stops."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from services.cli.stack.ports import LOOPBACK, free_port
from shared.runtime.health import Health
from shared.runtime.http import operational_routes
from shared.runtime.server import Stop, _serve


class Draining:
    """An application that answers probes, and whose stop takes until it is let go."""

    def __init__(self, stop: Stop) -> None:
        self._routes = dict(operational_routes(Health(stopping=lambda: stop.requested), CollectorRegistry()))
        self.drains = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._routes[scope["path"]](scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.drains.set()
        await self.may_end.wait()
        await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Draining, httpx.AsyncClient, "asyncio.Task[int]"]]:
    made: list[Draining] = []

    def build(stop: Stop) -> Draining:
        made.append(Draining(stop))
        return made[0]

    port = free_port()
    serving = asyncio.create_task(_serve(build, LOOPBACK, port, answers_callers=False))
    async with asyncio.timeout(30), httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}") as http:
        while not await _ready(http):  # noqa: ASYNC110 - a probe is asked, it does not call
            await asyncio.sleep(0.02)
        yield made[0], http, serving


async def _ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).status_code == 200
    except httpx.ConnectError:
        return False


async def test_while_a_worker_drains_it_is_alive_and_not_ready() -> None:
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: None)  # uvicorn raises it again at its end
    try:
        async with served() as (application, http, serving):
            os.kill(os.getpid(), signal.SIGTERM)
            await application.drains.wait()
            for _ in range(3):
                assert (await http.get("/livez")).status_code == 200
                answer = await http.get("/readyz")
                assert (answer.status_code, list(answer.json()["failing"])) == (503, ["stopping"])
                await asyncio.sleep(0.3)
            application.may_end.set()
            assert await serving == 0
            with pytest.raises(httpx.TransportError):
                await http.get("/livez")
    finally:
        signal.signal(signal.SIGTERM, before)
