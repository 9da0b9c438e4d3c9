"""Peer: LitServe, an embedding server from PyPI, with a client that keeps it busy."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from benchmarks.bare import BATCH
from benchmarks.clock import Lap
from benchmarks.extract.contender import Label
from benchmarks.extract.pictures import Pictures
from services.cli.stack.ports import LOOPBACK, free_port
from services.cli.stack.probes import Probe, http_probe
from tests.harness.daemon import Daemon

_UNDER_WAY = 4 * BATCH
"""Requests at once; the extractor has as many images in its engine."""


class Served:
    """A Contender: the images travel as forms over HTTP, and the server gathers them into batches.

    backend: `torch`, or `same` for the extractor's own.
    """

    def __init__(self, backend: str, *, label: Label, threads: int, folder: Path) -> None:
        self.label = label
        self.daemon = _LitServeProcess(backend, threads, folder)

    async def seconds(self, pictures: Pictures) -> float:
        images = [file.read_bytes() for file in pictures.files]
        room = asyncio.Semaphore(_UNDER_WAY)
        async with aiohttp.ClientSession(self.daemon.url) as session:

            async def embed(image: bytes) -> None:
                form = aiohttp.FormData()
                form.add_field("request", image, filename="image")
                async with room, session.post("/predict", data=form) as response:
                    response.raise_for_status()
                    await response.read()

            with Lap() as lap:
                async with asyncio.TaskGroup() as requests:
                    for image in images:
                        requests.create_task(embed(image))
        return lap.ms / 1000


class _LitServeProcess(Daemon):
    """`python -m benchmarks.extract.litserve_app`."""

    start_timeout_s = 120.0

    def __init__(self, backend: str, threads: int, folder: Path) -> None:
        super().__init__(f"litserve-{backend}", log=folder / f"litserve-{backend}.log")
        self._port = free_port()
        self._arguments = [str(self._port), str(threads), backend]

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "benchmarks.extract.litserve_app", *self._arguments]

    def probe(self) -> Probe:
        return http_probe(self._port, "/health")
