"""The frame of a worker that consumes from Kafka: FastStream's broker and application, with our probes and metrics."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from faststream.asgi import AsgiFastStream, AsyncAPIRoute
from faststream.kafka import KafkaBroker
from faststream.kafka.prometheus import KafkaPrometheusMiddleware
from faststream.specification import AsyncAPI
from prometheus_client import CollectorRegistry

from shared.bus.contracts import Contract
from shared.runtime.health import Health
from shared.runtime.http import operational_routes
from shared.runtime.logging import get_logger
from shared.runtime.server import Stop

log = get_logger(__name__)

Gate = Callable[[], Awaitable[None]]


class WorkerBroker(KafkaBroker):
    """Joins the consumer groups only when the worker can do the work, and stops the worker when it cannot join.

    FastStream itself would leave the process up with nothing consumed. gate: returns when the work may begin.
    """

    def __init__(
        self, bootstrap_servers: str, *, worker: str, gate: Gate, stop: Stop, registry: CollectorRegistry
    ) -> None:
        super().__init__(
            bootstrap_servers.split(","),
            client_id=f"afterimage-{worker}",
            consumer_only=True,  # records are produced by RecordProducer, which waits for the acknowledgement
            allow_auto_create_topics=False,
            graceful_timeout=None,  # a worker drains its own work before the broker stops
            logger=None,
            middlewares=[KafkaPrometheusMiddleware(registry=registry, app_name=f"afterimage-{worker}")],
        )
        self._gate = gate
        self._stop_worker = stop

    async def start(self) -> None:
        try:
            await self._gate()
            await super().start()
        except Exception:
            log.critical("consumer_did_not_start", exc_info=True)
            self._stop_worker()
            raise


def declare_output(broker: KafkaBroker, topic: str, contract: Contract) -> None:
    """Name a topic that the worker writes to in its AsyncAPI document."""
    broker.publisher(topic, schema=contract.annotation(), description=contract.description)


def build_application(
    broker: WorkerBroker,
    *,
    title: str,
    description: str,
    version: str,
    health: Health,
    registry: CollectorRegistry,
    lifespan: Callable[..., Any],
    on_shutdown: Sequence[Callable[[], Awaitable[None]]],
) -> AsgiFastStream:
    """The worker's ASGI application: /metrics, /livez, /readyz, and its AsyncAPI document under /docs.

    on_shutdown: runs while the consumers still hold their partitions, so that a last commit can succeed.
    """
    return AsgiFastStream(
        broker,
        asgi_routes=operational_routes(health, registry),
        asyncapi_path=AsyncAPIRoute("/docs", try_it_out_path=None),
        specification=AsyncAPI(title=title, version=version, description=description),
        lifespan=lifespan,
        on_shutdown=on_shutdown,
        logger=None,
    )
