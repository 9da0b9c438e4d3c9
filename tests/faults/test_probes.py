"""What an indexer's probes say while it is stopped, and while Redis is away: on real servers, by a real process."""

import asyncio
import os
import signal
import time
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from tests.faults.probing import Probes
from tests.harness.kafka import Broker
from tests.harness.redis import RedisServer
from tests.harness.service import Indexing

PATIENCE_S = 60.0
GRACE_S = 40.0
"""`stop_grace_period` of the compose file."""
OK, FAILING = HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_an_indexer_is_ready_while_its_heads_are_confirmed_until_it_is_told_to_stop_and_alive_all_the_while(
    kafka: Broker, fresh_redis: RedisServer, unique_namespace: str, tmp_path: Path
) -> None:
    service = Indexing(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=fresh_redis.url,
        namespace=unique_namespace,
        folder=tmp_path,
        searchers=0,
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
        said_last = probes.history[-1]
        assert said_last in ((OK, FAILING, frozenset({"stopping"})), (OK, OK, frozenset())), "or it was gone too soon"

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
