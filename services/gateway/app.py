"""Wiring of the gateway: the API, the page, the connection to the bus, the probes."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from services.gateway import problems
from services.gateway.access.admission import Admission, AdmissionPolicy
from services.gateway.access.authentication import Authentication, Guarded
from services.gateway.access.key_ring import KeyRing
from services.gateway.access.own_names import OwnNames
from services.gateway.access.rate import RateLimit
from services.gateway.api import capabilities, searches, thumbnails, upload_status, uploads
from services.gateway.api.bulk import route as bulk
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
from services.gateway.settings import GatewaySettings, is_loopback
from services.gateway.telemetry import AnswerTrace, telemetry
from services.gateway.thumbnails.links import Links
from services.gateway.thumbnails.maker import Thumbnails
from shared.access.keys import Scope
from shared.client import AfterimageClient
from shared.imaging.policy import FetchPolicy
from shared.runtime import tracing
from shared.runtime.background import BackgroundTasks
from shared.runtime.health import Health
from shared.runtime.http import operational_routes
from shared.runtime.logging import get_logger
from shared.runtime.metrics import new_registry
from shared.runtime.server import Stop

log = get_logger(__name__)

PAGE = Path(__file__).parent / "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who gets in, and how much of them. ring: None where no keys are asked for. origins: of other sites' pages.

    hostnames: that the gateway answers to, besides addresses and localhost, where it asks for no keys.
    """

    admission: AdmissionPolicy
    rate: RateLimit
    ring: KeyRing | None = None
    origins: Sequence[str] = ()
    hostnames: Sequence[str] = ()
    thumbnails: Thumbnails | None = None
    """Where hits are shown."""


def build(settings: GatewaySettings, stop: Stop) -> ASGIApp:
    """The gateway as an ASGI application. Raises BadKeyFile."""
    if settings.keys is None and not is_loopback(settings.http_host):
        log.warning("gateway_is_open", http_host=settings.http_host, hint="whoever reaches it may use all of it")

    def open_index() -> AfterimageClient:
        return AfterimageClient(
            settings.kafka_bootstrap_servers,
            security=settings.kafka.security,
            namespace=settings.namespace,
            max_in_flight=settings.max_in_flight,
            fetch_wait_ms=settings.fetch_wait_ms,
        )

    access = Access(
        admission=AdmissionPolicy(max_in_flight=settings.max_in_flight, max_in_flight_each=settings.max_in_flight_each),
        rate=RateLimit(per_s=settings.rate_per_s, burst=2 * settings.rate_per_s),
        ring=KeyRing(settings.keys) if settings.keys else None,
        origins=settings.allowed_origins,
        hostnames=(settings.http_host, *settings.hostnames),
        thumbnails=_thumbnails(settings) if settings.thumbnails else None,
    )
    return make_gateway(open_index, stop, live=Live(hearing(settings), asking(settings)), access=access)


def _thumbnails(settings: GatewaySettings) -> Thumbnails:
    given = settings.thumbnail_secret
    secret = given.get_secret_value().encode() if given else secrets.token_bytes(32)
    policy = FetchPolicy(
        file_roots=settings.file_roots, allow_private_addresses=settings.fetch_private, timeout_s=5, attempts=1
    )
    return Thumbnails(Links(secret), policy)


def make_gateway(open_index: OpenIndex, stop: Stop, *, live: Live, access: Access) -> ASGIApp:
    """The gateway in front of any index."""
    connection = Connection(open_index)
    registry = new_registry()
    metrics = GatewayMetrics(registry)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with access.thumbnails or nullcontext(), BackgroundTasks(on_failure=stop) as tasks:
            tasks.spawn(connection.run(), name="connection")
            live.start(tasks)
            if access.ring:
                tasks.spawn(access.ring.run(), name="keys")
            yield

    api = DescribedApi(
        title="Afterimage",
        version=version("afterimage"),
        description="Index images, and find them by similarity a moment later.",
        lifespan=lifespan,
        docs_url=None,  # the usual viewers load their scripts from elsewhere: /docs is a page of our own
        redoc_url=None,
        telemetry=telemetry(),
    )
    if tracing.active():
        api.add_middleware(AnswerTrace)
    api.state.authentication = authentication = Authentication(access.ring, access.rate)
    api.state.admission = Admission(connection, access.rate, access.admission)
    api.state.audience = Audience(live, stopping=lambda: stop.requested)
    api.state.thumbnails = access.thumbnails
    api.state.searchers = Searchers(connection)
    metrics.listeners.set_function(lambda: api.state.audience.listeners)
    metrics.in_flight.set_function(lambda: api.state.admission.in_flight)
    problems.install(api)
    api.include_router(bulk.router)
    api.include_router(uploads.router)
    api.include_router(upload_status.router)
    api.include_router(searches.router)
    api.include_router(thumbnails.router)
    api.include_router(stream.router)
    api.include_router(capabilities.router)
    api.mount("/", StaticFiles(directory=PAGE, html=True))
    health = Health(
        alive={"answers": connection.not_hearing},
        ready={"bus": connection.not_connected},
        stopping=lambda: stop.requested,
    )
    operational = dict(operational_routes(health, registry))
    if access.ring:
        operational["/metrics"] = Guarded(operational["/metrics"], authentication, Scope.ADMIN)
    answering = api if access.ring else OwnNames(api, access.hostnames)
    shielded: ASGIApp = Shielded(Measured(answering, metrics, live.searches), access.origins)
    if access.origins:
        shielded = CORSMiddleware(
            shielded,
            allow_origins=access.origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["authorization", "content-type", "last-event-id", "traceparent", "tracestate"],
            expose_headers=["retry-after", "traceparent"],
        )
    return Dispatch(shielded, operational)
