"""What an indexer's probes say while it is stopped, and while Redis is away: on real servers, by a real process."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from tests.harness.kafka import Broker
from tests.harness.redis import RedisServer
from tests.harness.service import Service
from tests.harness.workers import WorkerProcess

PATIENCE_S = 60.0
GRACE_S = 40.0
"""`stop_grace_period` of the compose file."""
_LOOK_EVERY_S = 0.02
OK, FAILING = HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE

Said = tuple[int, int, frozenset[str]]


class OnlyIndexing(Service):
    @property
    def workers(self) -> list[WorkerProcess]:
        return [self.indexer]


@dataclass(slots=True)
class Probes:
    """Each change of what a worker's probes said: HTTP status of /livez and of /readyz, and what the latter lacks."""

    history: list[Said] = field(default_factory=list)

    @asynccontextmanager
    async def watching(self, worker: WorkerProcess) -> AsyncIterator[None]:
        async with httpx.AsyncClient(base_url=worker.url, timeout=PATIENCE_S) as http, asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self._watch(http))
            yield
            task.cancel()

    async def until(self, said: Said) -> None:
        async with asyncio.timeout(PATIENCE_S):
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


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_an_indexer_is_ready_while_its_heads_are_confirmed_until_it_is_told_to_stop_and_alive_all_the_while(
    kafka: Broker, fresh_redis: RedisServer, unique_namespace: str, tmp_path: Path
) -> None:
    service = OnlyIndexing(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=fresh_redis.url,
        namespace=unique_namespace,
        folder=tmp_path,
    )
    indexer = service.indexer
    probes = Probes()
    await asyncio.to_thread(service.__enter__)
    try:
        async with probes.watching(indexer):
            await probes.until((OK, OK, frozenset()))
            fresh_redis.pause()
            try:
                await probes.until((OK, FAILING, frozenset({"claims"})))
            finally:
                fresh_redis.resume()
            await probes.until((OK, OK, frozenset()))
            began = time.monotonic()
            os.kill(indexer.pid, signal.SIGTERM)
            assert await asyncio.to_thread(indexer.wait_ended, GRACE_S) == 0
            assert time.monotonic() - began < GRACE_S
        assert {live for live, _, _ in probes.history} == {OK}
        assert probes.history[-1] == (OK, FAILING, frozenset({"stopping"}))

        await asyncio.to_thread(indexer.stop)  # which forgets the process that has ended
        await asyncio.to_thread(indexer.start)
        async with httpx.AsyncClient(base_url=indexer.url, timeout=PATIENCE_S) as http:
            indexer.pause()
            try:
                with pytest.raises(httpx.ReadTimeout):  # a process that hangs as a whole
                    await http.get("/livez", timeout=3)
            finally:
                indexer.resume()
            assert (await http.get("/livez")).status_code == OK
    finally:
        await asyncio.to_thread(service.__exit__, None, None, None)
