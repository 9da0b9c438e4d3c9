"""Contenders that read upload events from Kafka and write features to it: the extractor, and the naive handler."""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.arrivals import Arrivals
from benchmarks.extract import naive_app
from benchmarks.extract.contender import Label
from benchmarks.extract.pictures import Pictures
from benchmarks.stack import PARTITIONS
from services.cli.stack.probes import Probe
from shared.bus.inbox import Inbox
from shared.bus.producer import RecordProducer
from shared.events.upload_forms import UploadImage
from shared.events.uploads import write_native
from tests.harness.daemon import Daemon

_PATIENCE_S = 240.0


class Streamed:
    """A Contender. Used as an async context manager, once."""

    def __init__(self, daemon: Daemon, *, label: Label, bootstrap_servers: str, uploads: str, features: str) -> None:
        self.label = label
        self.daemon = daemon
        self._uploads = uploads
        self._sent = 0
        self._arrivals = Arrivals()
        self._inbox = Inbox(bootstrap_servers, {features: range(PARTITIONS)}, self._arrivals.receive)
        self._producer = RecordProducer(bootstrap_servers, client_id="benchmark")
        self._resources = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._producer)
            await stack.enter_async_context(self._inbox)
            self._resources = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._resources.aclose()

    async def seconds(self, pictures: Pictures) -> float:
        """From a topic that holds all events to the last feature heard.

        The worker is frozen while the topic is filled: what producing costs is not its own.
        """
        self._arrivals.expect(len(pictures.files))
        self.daemon.pause()
        try:
            async with asyncio.TaskGroup() as uploads:
                for file in pictures.files:
                    uploads.create_task(self._upload(file, inline=pictures.inline))
        finally:
            self.daemon.resume()
        started = time.perf_counter()
        return await self._arrivals.all_heard(within_s=_PATIENCE_S) - started

    async def _upload(self, file: Path, *, inline: bool) -> None:
        self._sent += 1
        event = _event(f"{file.stem}-{self._sent}", file, inline=inline)
        await self._producer.send(self._uploads, key=event.id.encode(), value=write_native(event))


def _event(image_id: str, file: Path, *, inline: bool) -> UploadImage:
    if inline:
        return UploadImage(id=image_id, data=file.read_bytes())
    return UploadImage(id=image_id, uri=file.as_uri())


def naive_topics(backend: str) -> tuple[str, str]:
    """Where the naive handler of that backend reads from, and where it writes to."""
    return f"naive.{backend}.uploaded", f"naive.{backend}.features"


class NaiveProcess(Daemon):
    """`python -m benchmarks.extract.naive_app`. backend: `torch`, or `same` for the extractor's own."""

    start_timeout_s = 120.0

    def __init__(self, backend: str, *, bootstrap_servers: str, threads: int, folder: Path) -> None:
        super().__init__(f"naive-{backend}", log=folder / f"naive-{backend}.log")
        self.uploads, self.features = naive_topics(backend)
        self._arguments = [bootstrap_servers, str(threads), backend, self.uploads, self.features]

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "benchmarks.extract.naive_app", *self._arguments]

    def probe(self) -> Probe:
        async def listens() -> bool:
            return naive_app.READY in self.log.read_text(encoding="utf-8", errors="replace")

        return listens
