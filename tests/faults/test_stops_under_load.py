"""Each worker is stopped under load: what was acknowledged is kept, and its probes say what happens.

`test_rolling_restarts.py` has two of each worker, and no query fails; `test_crashes.py` kills each. Here there is one
of each: whoever asks meanwhile is answered late, or told so.
"""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest

from shared.client import AfterimageClient
from tests.faults.probing import Probes
from tests.faults.traffic import Traffic
from tests.harness.kafka import Broker
from tests.harness.observation import settled
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import Service
from tests.harness.workers import WorkerProcess

PATIENCE_S = 90.0
GRACE_S = 40.0
"""`stop_grace_period` of the compose file."""


@pytest.fixture(scope="module")
def whole(kafka: Broker, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for all tests of this file: it takes the longest to start."""
    servers = {"bootstrap_servers": kafka.bootstrap_servers, "redis_url": redis_server.url}
    namespace = f"t{secrets.token_hex(4)}"
    with Service(**servers, namespace=namespace, folder=tmp_path_factory.mktemp("stops")) as running:
        yield running


@pytest.mark.slow
@pytest.mark.durable
@pytest.mark.timeout(600)
async def test_each_worker_that_is_stopped_under_load_loses_nothing_and_answers_nothing_twice(
    whole: Service,
) -> None:
    traffic = Traffic(whole)
    async with AfterimageClient(whole.bootstrap_servers, namespace=whole.namespace) as client:
        async with traffic.flowing(client):
            for worker in whole.workers:
                if worker in whole.searchers:
                    assert traffic.failures == []  # whatever becomes of the others
                await stops_in_good_order(worker)
                await traffic.next_uploads(3)
        for sent in traffic.uploads:
            await client.wait_searchable(sent, timeout_s=PATIENCE_S)
    replies = await traffic.replies()
    assert max(replies.values()) == 1
    await settled(whole, images=len(traffic.uploads))


async def stops_in_good_order(worker: WorkerProcess) -> None:
    """Stop it and start it again, and hold its probes to what they promise."""
    probes = Probes()
    async with probes.watching(worker):
        await probes.until((HTTPStatus.OK, HTTPStatus.OK, frozenset()))
        began = time.monotonic()
        os.kill(worker.pid, signal.SIGTERM)
        status = await asyncio.to_thread(worker.wait_ended, GRACE_S)
        took_s = time.monotonic() - began
    assert (worker.name, status) == (worker.name, 0), worker.tail()
    assert took_s < GRACE_S
    assert {live for live, _, _ in probes.history} == {HTTPStatus.OK}, probes.history
    stopping = [lacking == {"stopping"} for _, _, lacking in probes.history]
    assert stopping == sorted(stopping), probes.history  # from then on it says nothing else
    again = Probes()
    async with again.watching(worker):
        await asyncio.to_thread(worker.stop)  # which forgets the process that has ended
        await asyncio.to_thread(worker.start)
        await again.until((HTTPStatus.OK, HTTPStatus.OK, frozenset()))
    assert {live for live, _, _ in again.history} == {HTTPStatus.OK}
    assert all(lacking for _, ready, lacking in again.history if ready != HTTPStatus.OK)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_gateway_that_is_stopped_answers_what_it_has_begun_and_what_it_took_when_killed_is_kept(
    whole: Service,
) -> None:
    gateway = whole.worker("gateway", "gateway")
    pictures = small_pictures(20)
    await asyncio.to_thread(gateway.start)
    taken: list[str] = []
    try:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=PATIENCE_S) as http:
            for end in (signal.SIGTERM, signal.SIGKILL):
                under_way = [asyncio.create_task(upload(http, f"{end.name}-{n}", next(pictures))) for n in range(8)]
                await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                os.kill(gateway.pid, end)
                answers = await asyncio.gather(*under_way, return_exceptions=True)
                status = await asyncio.to_thread(gateway.wait_ended, GRACE_S)
                taken += [answer for answer in answers if isinstance(answer, str)]
                assert len(taken) >= 8, answers  # of those that it had begun when it was stopped none was dropped
                assert status == (0 if end is signal.SIGTERM else -signal.SIGKILL), gateway.tail()
                await asyncio.to_thread(gateway.stop)
                await asyncio.to_thread(gateway.start)
            assert taken
            for image_id in taken:
                await findable(http, image_id)
    finally:
        await asyncio.to_thread(gateway.stop)


async def upload(http: httpx.AsyncClient, image_id: str, picture: bytes) -> str:
    """Returns the id when the gateway has acknowledged it. Raises httpx.TransportError where it went away before."""
    image = {"image": ("picture.jpg", picture, "image/jpeg")}
    answer = await http.post("/images", params={"wait": 10}, data={"id": image_id}, files=image)
    assert answer.is_success, answer.text
    return image_id


async def findable(http: httpx.AsyncClient, image_id: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (answer := await http.get("/search", params={"id": image_id})).status_code != HTTPStatus.OK:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        assert answer.json()["hits"][0]["id"] == image_id
