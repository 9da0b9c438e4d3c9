"""Asking a worker's probes all the while, and keeping what they say."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.harness.workers import WorkerProcess

_PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.02

Said = tuple[int, int, frozenset[str]]


@dataclass(slots=True)
class Probes:
    """Each change of what a worker's probes said: HTTP status of /livez and of /readyz, and what the latter lacks."""

    history: list[Said] = field(default_factory=list)

    @asynccontextmanager
    async def watching(self, worker: WorkerProcess) -> AsyncIterator[None]:
        async with httpx.AsyncClient(base_url=worker.url, timeout=_PATIENCE_S) as http, asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._watch(http))
            yield
            task.cancel()

    async def until(self, said: Said) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while self.history[-1:] != [said]:  # noqa: ASYNC110 - a probe is asked, it does not call
                await asyncio.sleep(_LOOK_EVERY_S)

    async def _watch(self, http: httpx.AsyncClient) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError):  # it is not there
                live, ready = await http.get("/livez"), await http.get("/readyz")
                said = (live.status_code, ready.status_code, frozenset(ready.json()["failing"]))
                if self.history[-1:] != [said]:
                    self.history.append(said)
            await asyncio.sleep(_LOOK_EVERY_S)
