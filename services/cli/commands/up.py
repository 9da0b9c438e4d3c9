"""`afterimage up`: the whole service on this machine, until Ctrl-C."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from services.cli.commands.topics import create_topics
from services.cli.extractors import workers_with
from services.cli.failures import Failure, Status
from services.cli.running import run
from services.cli.settings import CliSettings
from services.cli.stack import Console, EmbeddedStack, LineSink, StackConfig, embedded_stack
from shared.runtime.durations import duration_ms
from shared.wires.kafka import KafkaServers


def up(
    files: Annotated[
        list[Path] | None,
        typer.Option(help="Folder below which file:// images may be read; repeat for more. Default: this folder."),
    ] = None,
    extractors: Annotated[
        int,
        typer.Option(
            min=1,
            max=64,
            help="Extractor processes; as many as there are partitions have work. They share the CUDA devices out in "
            "turn, or else the cores.",
        ),
    ] = 1,
    retention: Annotated[
        str | None,
        typer.Option(
            help="Delete images that occurred longer ago: a number and s, m, h, d or w, such as 30d. Default: "
            "INDEXER_RETENTION, or keep them."
        ),
    ] = None,
) -> None:
    """Start a broker, a Redis and all workers, until Ctrl-C.

    KAFKA_BOOTSTRAP_SERVERS and REDIS_URL replace the embedded servers by your own. The embedded broker keeps
    everything in memory: it forgets all when it stops.
    """

    async def start(settings: CliSettings) -> Status:
        console = Console(sys.stderr, width=9 if extractors == 1 else 12)
        folders = files or [Path.cwd()]
        async with stack(
            settings, folders=folders, sink=console.line, extractors=extractors, retention=retention
        ) as running:
            for name, value in running.environment.items():
                console.line("stack", f"export {name}={value}")
            console.line("stack", "Ctrl-C stops everything")
            await asyncio.Event().wait()
        return Status.OK

    run(start)


@asynccontextmanager
async def stack(
    settings: CliSettings,
    *,
    folders: Sequence[Path],
    sink: LineSink,
    extractors: int = 1,
    retention: str | None = None,
) -> AsyncIterator[EmbeddedStack]:
    """The embedded stack with its topics, its workers allowed to read the folders given."""
    for folder in folders:
        if not folder.is_dir():
            raise Failure(f"{folder} is not a folder", Status.MISUSED)
    env = _worker_environment(folders, retention)
    devices = await asyncio.to_thread(_cuda_devices) if extractors > 1 else []
    workers = workers_with(extractors, devices=devices, environment=os.environ)
    config = StackConfig.from_environment(
        os.environ, workers=tuple(replace(worker, env={**env, **worker.env}) for worker in workers)
    )
    _check_that_embedded_servers_are_plain(config, settings)

    async def create(bootstrap_servers: str) -> None:
        servers = KafkaServers(bootstrap_servers, settings.kafka.security)
        await create_topics(servers, settings.namespace, settings.partitions)

    async with embedded_stack(config, create_topics=create, sink=sink) as running:
        yield running


def _check_that_embedded_servers_are_plain(config: StackConfig, settings: CliSettings) -> None:
    """Raises Failure where the settings are meant for other servers than those that would be started here."""
    if config.bootstrap_servers is None and settings.kafka_security_protocol != "PLAINTEXT":
        raise Failure(
            f"KAFKA_SECURITY_PROTOCOL={settings.kafka_security_protocol} is set, and the embedded broker speaks "
            "PLAINTEXT: unset it, or name brokers of your own in KAFKA_BOOTSTRAP_SERVERS",
            Status.MISUSED,
        )
    if config.redis_url is None and settings.redis.options():
        raise Failure(
            "a user or a password for Redis is set, and the embedded Redis has none: unset it, or name a Redis of your "
            "own in REDIS_URL",
            Status.MISUSED,
        )


def _cuda_devices() -> list[str]:
    from shared.encoders.device import cuda_devices  # noqa: PLC0415 - brings torch, which takes seconds

    return cuda_devices()


def _worker_environment(folders: Sequence[Path], retention: str | None) -> Mapping[str, str]:
    """On one machine the producers are the person who started it: the workers may read the folders."""
    environment = {"AFTERIMAGE_FILE_ROOTS": os.pathsep.join(str(folder.resolve()) for folder in folders)}
    if retention is not None:
        try:
            duration_ms(retention)
        except ValueError as error:
            raise Failure(f"--retention {retention}: {error}", Status.MISUSED) from None
        environment["INDEXER_RETENTION"] = retention
    return environment
