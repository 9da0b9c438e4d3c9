"""The frame of a worker that consumes from Kafka: FastStream's broker and application, with our probes and metrics."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Protocol, TypeAlias

from faststream.asgi import AsgiFastStream, AsyncAPIRoute
from faststream.specification import AsyncAPI
from prometheus_client import CollectorRegistry

from shared.bus.broker import WorkerBroker
from shared.runtime.background import BackgroundTasks
from shared.runtime.health import Health
from shared.runtime.http import operational_routes
from shared.runtime.server import Stop

Application: TypeAlias = AsgiFastStream


class Worker(Protocol):
    """What a worker adds to the frame."""

    async def prepare(self, resources: AsyncExitStack, tasks: BackgroundTasks) -> None:
        """Get ready for work: connect, load, warm up. Probes are answered meanwhile; records are not delivered yet.

        resources: closed after the tasks, when the worker stops. Raises BadSettings, and what else ends the worker.
        """

    async def drain(self) -> None:
        """Finish what is under way, while the partitions are still held."""


def build_application(
    broker: WorkerBroker,
    worker: Worker,
    *,
    title: str,
    description: str,
    health: Health,
    registry: CollectorRegistry,
    stop: Stop,
) -> Application:
    """The worker's ASGI application: /metrics, /livez, /readyz, and its AsyncAPI document under /docs."""
    health.ready["started"] = broker.ready
    health.stopping = lambda: stop.requested

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as resources, BackgroundTasks(on_failure=stop) as tasks:
            broker.prepare = lambda: worker.prepare(resources, tasks)
            yield

    async def drain() -> None:
        if broker.ready() is None:  # else it never took anything in, and may lack what its drain uses
            await worker.drain()

    return Application(
        broker,
        asgi_routes=operational_routes(health, registry),
        asyncapi_path=AsyncAPIRoute("/docs", try_it_out_path=None),
        specification=AsyncAPI(title=title, version=version("afterimage"), description=description),
        lifespan=lifespan,
        on_shutdown=[drain],
        logger=None,
    )
