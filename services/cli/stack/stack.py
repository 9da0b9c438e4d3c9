"""The whole stack in one block: broker, Redis, topics, workers."""

import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from services.cli.stack.broker import broker_command
from services.cli.stack.config import StackConfig, WorkerSpec
from services.cli.stack.ports import LOOPBACK, PortPicker
from services.cli.stack.probes import http_probe, kafka_probe, redis_probe
from services.cli.stack.process import ChildSpec, LineSink
from services.cli.stack.reaper import Reaper
from services.cli.stack.redis import redis_command
from services.cli.stack.supervisor import Supervisor, supervision

TopicCreator = Callable[[str], Awaitable[None]]
"""Creates the topics on the broker with these bootstrap servers, where they are not there yet."""

_SERVER_START_TIMEOUT_S = 30.0
_STACK = "stack"
# The embedded broker looks for new records only now and then while a fetch waits: half of its wait passes on average.
_EMBEDDED_FETCH_WAIT_MS = "20"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedStack:
    """Where the running stack can be reached."""

    bootstrap_servers: str
    redis_url: str
    worker_urls: Mapping[str, str]
    """By the worker's name, as `http://127.0.0.1:8081`."""
    environment: Mapping[str, str]
    """What a client of this stack needs in its environment, as the workers have it."""


@asynccontextmanager
async def embedded_stack(
    config: StackConfig, *, create_topics: TopicCreator, sink: LineSink
) -> AsyncIterator[EmbeddedStack]:
    """Everything is ready inside the block, and gone after it.

    sink: takes every line that the stack and its processes say, see `Console.line`.
    raises ChildDiedError: a process did not start, or ended later, which cancels the block.
    raises BrokerMissingError, RedisMissingError: there is nothing to embed on this machine.
    """
    with Reaper() as reaper, tempfile.TemporaryDirectory(prefix="afterimage-") as folder:
        reaper.adopt_folder(Path(folder))
        async with supervision(reaper, sink) as supervisor:
            yield await _Assembly(config, supervisor, sink, Path(folder)).start(create_topics)


class _Assembly:
    """Starts the parts of one stack, in the order in which they need each other."""

    def __init__(self, config: StackConfig, supervisor: Supervisor, sink: LineSink, folder: Path) -> None:
        self._config = config
        self._supervisor = supervisor
        self._sink = sink
        self._folder = folder
        self._ports = PortPicker(on_taken=self._say)

    async def start(self, create_topics: TopicCreator) -> EmbeddedStack:
        bootstrap_servers = self._config.bootstrap_servers or await self._start_broker()
        redis_url = self._config.redis_url or await self._start_redis()
        await create_topics(bootstrap_servers)
        environment = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, "REDIS_URL": redis_url}
        if not self._config.bootstrap_servers:
            environment["KAFKA_FETCH_MAX_WAIT_MS"] = _EMBEDDED_FETCH_WAIT_MS
        ports = {worker.name: self._ports.pick(worker.http_port, worker.name) for worker in self._config.workers}
        children = [self._worker(worker, ports[worker.name], environment) for worker in self._config.workers]
        await self._supervisor.start(*children)
        urls = {name: f"http://{LOOPBACK}:{port}" for name, port in ports.items()}
        self._say(", ".join(["everything is ready", *(f"{name} on {url}" for name, url in urls.items())]))
        return EmbeddedStack(
            bootstrap_servers=bootstrap_servers, redis_url=redis_url, worker_urls=urls, environment=environment
        )

    async def _start_broker(self) -> str:
        port = self._ports.pick(self._config.broker_port, "broker")
        self._say(f"starting the embedded broker on port {port}: it keeps all in memory, and forgets it when it ends")
        await self._supervisor.start(
            ChildSpec(
                name="broker",
                command=broker_command(port),
                ready=kafka_probe(port),
                start_timeout_s=_SERVER_START_TIMEOUT_S,
                stop_grace_s=self._config.stop_grace_s,
            )
        )
        return f"{LOOPBACK}:{port}"

    async def _start_redis(self) -> str:
        port = self._ports.pick(self._config.redis_port, "redis")
        self._say(f"starting Redis on port {port}")
        await self._supervisor.start(
            ChildSpec(
                name="redis",
                command=redis_command(port, self._folder),
                ready=redis_probe(port),
                start_timeout_s=_SERVER_START_TIMEOUT_S,
                stop_grace_s=self._config.stop_grace_s,
            )
        )
        return f"redis://{LOOPBACK}:{port}/0"

    def _worker(self, worker: WorkerSpec, port: int, environment: Mapping[str, str]) -> ChildSpec:
        self._say(f"starting {worker.name}")
        return ChildSpec(
            name=worker.name,
            command=[sys.executable, "-m", worker.module],
            ready=http_probe(port),
            env={**environment, "PYTHONUNBUFFERED": "1", worker.http_port_variable: str(port), **worker.env},
            start_timeout_s=self._config.worker_start_timeout_s,
            stop_grace_s=self._config.stop_grace_s,
        )

    def _say(self, text: str) -> None:
        self._sink(_STACK, text)
