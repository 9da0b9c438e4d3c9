"""Wiring of the gateway: the API, the page, the connection to the bus, the probes."""

import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from services.gateway import problems
from services.gateway.access.admission import Admission
from services.gateway.api import capabilities, searches, uploads
from services.gateway.api.capabilities import Searchers
from services.gateway.api.description import DescribedApi
from services.gateway.connection import Connection, OpenIndex
from services.gateway.live import stream
from services.gateway.live.hearing import hearing
from services.gateway.live.live import Live
from services.gateway.live.progress import asking
from services.gateway.live.stream import Audience
from services.gateway.metrics import GatewayMetrics
from services.gateway.middleware import Dispatch, Measured, Shielded
from services.gateway.settings import GatewaySettings
from shared.client import AfterimageClient
from shared.runtime.background import BackgroundTasks
from shared.runtime.health import Health
from shared.runtime.http import operational_routes
from shared.runtime.logging import get_logger
from shared.runtime.metrics import new_registry
from shared.runtime.server import Stop

log = get_logger(__name__)

PAGE = Path(__file__).parent / "page"


def build(settings: GatewaySettings, stop: Stop) -> ASGIApp:
    """The gateway as an ASGI application."""
    if not _is_loopback(settings.http_host):
        log.warning("gateway_is_open", http_host=settings.http_host, hint="whoever reaches it may use all of it")

    def open_index() -> AfterimageClient:
        return AfterimageClient(
            settings.kafka_bootstrap_servers,
            namespace=settings.namespace,
            max_in_flight=settings.max_in_flight,
            fetch_wait_ms=settings.fetch_wait_ms,
        )

    live = Live(hearing(settings), asking(settings))
    return make_gateway(open_index, stop, live=live, max_in_flight=settings.max_in_flight)


def make_gateway(open_index: OpenIndex, stop: Stop, *, live: Live, max_in_flight: int) -> ASGIApp:
    """The gateway in front of any index."""
    connection = Connection(open_index)
    registry = new_registry()
    metrics = GatewayMetrics(registry)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with BackgroundTasks(on_failure=stop) as tasks:
            tasks.spawn(connection.run(), name="connection")
            live.start(tasks)
            yield

    api = DescribedApi(
        title="Afterimage",
        version=version("afterimage"),
        description="Index images, and find them by similarity a moment later.",
        lifespan=lifespan,
        docs_url=None,  # the usual viewers load their scripts from elsewhere: /docs is a page of our own
        redoc_url=None,
    )
    api.state.admission = Admission(connection, max_in_flight=max_in_flight)
    api.state.audience = Audience(live, stopping=lambda: stop.requested)
    api.state.searchers = Searchers(connection)
    metrics.in_flight.set_function(lambda: api.state.admission.in_flight)
    problems.install(api)
    api.include_router(uploads.router)
    api.include_router(searches.router)
    api.include_router(stream.router)
    api.include_router(capabilities.router)
    api.mount("/", StaticFiles(directory=PAGE, html=True))
    health = Health(ready={"bus": connection.not_connected})
    return Dispatch(Shielded(Measured(api, metrics, live.searches)), dict(operational_routes(health, registry)))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
