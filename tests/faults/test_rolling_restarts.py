"""Workers are stopped and started again one after another, as for an upgrade: no query fails and no image is lost."""

import asyncio
import contextlib
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from shared.client import AfterimageClient
from shared.events.topics import Topics
from tests.faults.traffic import Traffic
from tests.harness.group import GroupState, group_state
from tests.harness.kafka import Broker
from tests.harness.observation import settled
from tests.harness.ports import LOOPBACK
from tests.harness.proxy import FaultyProxy
from tests.harness.redis import RedisServer
from tests.harness.service import Service
from tests.harness.workers import WorkerProcess

PATIENCE_S = 60.0


class Doubled(Service):
    """Two of each worker. Through `proxy` the second searcher reaches Redis.

    All are static members but the second indexer: it is one that gives its partitions back when it is stopped.
    """

    def __init__(self, kafka: Broker, redis: RedisServer, proxy: FaultyProxy, *, namespace: str, folder: Path) -> None:
        super().__init__(
            bootstrap_servers=kafka.bootstrap_servers,
            redis_url=redis.url,
            namespace=namespace,
            folder=folder,
        )
        self.extractors = [self.extractor, self._second("extractor", redis.url, EXTRACTOR_INSTANCE_ID="second")]
        self.indexers = [self.indexer, self._second("indexer", redis.url)]
        through_proxy = f"redis://{LOOPBACK}:{proxy.port}/0"
        self.searchers.append(
            self._second("searcher", through_proxy, SEARCHER_INSTANCE_ID="second", SEARCHER_NAME="second")
        )

    @property
    def workers(self) -> list[WorkerProcess]:
        return [*self.extractors, *self.indexers, *self.searchers]

    def _second(self, module: str, redis_url: str, **env: str) -> WorkerProcess:
        own = {"AFTERIMAGE_NAMESPACE": self.namespace, f"{module.upper()}_THREADS": "1", **env}
        return WorkerProcess(
            module,
            bootstrap_servers=self.bootstrap_servers,
            redis_url=redis_url,
            folder=self._folder,
            env={**self._env, **own},
            name=f"{module}-second",
        )

    async def group(self, worker: str) -> GroupState:
        return await group_state(self.bootstrap_servers, Topics(self.namespace).group(worker))

    async def until_partitions(self, worker: str, shares: dict[str, int]) -> None:
        """Wait until each static member of a group has so many partitions."""
        async with asyncio.timeout(PATIENCE_S):
            while {name: len(held) for name, held in (await self.group(worker)).partitions.items()} != shares:  # noqa: ASYNC110
                await asyncio.sleep(0.2)


@pytest.fixture
def proxy(redis_server: RedisServer) -> Iterator[FaultyProxy]:
    with FaultyProxy(redis_server.port) as proxy:
        yield proxy


@pytest.fixture
def service(
    kafka: Broker, redis_server: RedisServer, proxy: FaultyProxy, unique_namespace: str, tmp_path: Path
) -> Iterator[Doubled]:
    with Doubled(kafka, redis_server, proxy, namespace=unique_namespace, folder=tmp_path) as running:
        yield running


@pytest.mark.slow
@pytest.mark.durable
@pytest.mark.timeout(600)
async def test_no_query_fails_and_no_image_is_lost_while_each_worker_is_restarted(
    service: Doubled, proxy: FaultyProxy
) -> None:
    traffic = Traffic(service)
    async with AfterimageClient(service.bootstrap_servers, namespace=service.namespace) as client:
        async with traffic.flowing(client):
            await static_members_are_restarted_and_nobody_else_notices(service)
            await a_shard_moves_to_the_other_indexer_and_back(service, client, traffic)
            await searchers_are_restarted_and_the_others_answer(service, proxy)
        for sent in traffic.uploads:
            await client.wait_searchable(sent, timeout_s=PATIENCE_S)
    print(f"\n{traffic.queries} queries, the longest {traffic.longest_s:.2f} s; {len(traffic.uploads)} uploads")  # noqa: T201
    assert traffic.failures == []
    replies = await traffic.replies()
    assert (len(replies), max(replies.values())) == (traffic.queries, 1)
    encodings = await traffic.encodings()
    assert (len(encodings), max(encodings.values())) == (len(traffic.uploads), 1)
    await settled(service, images=len(traffic.uploads))


async def static_members_are_restarted_and_nobody_else_notices(service: Doubled) -> None:
    for worker, group in [*((worker, "extractor") for worker in service.extractors), (service.indexer, "indexer")]:
        before = await service.group(group)
        await asyncio.to_thread(worker.restart)
        assert await service.group(group) == before


async def a_shard_moves_to_the_other_indexer_and_back(
    service: Doubled, client: AfterimageClient, traffic: Traffic
) -> None:
    await asyncio.to_thread(service.indexers[1].stop)
    await service.until_partitions("indexer", {"indexer": 2})
    for sent in await traffic.next_uploads(10):  # of both shards
        await client.wait_searchable(sent, timeout_s=PATIENCE_S)
    await asyncio.to_thread(service.indexers[1].start)
    await service.until_partitions("indexer", {"indexer": 1})


async def searchers_are_restarted_and_the_others_answer(service: Doubled, proxy: FaultyProxy) -> None:
    first, second = service.searchers
    await asyncio.to_thread(first.stop)
    await service.until_partitions("searcher", {"second": 2})
    await asyncio.to_thread(first.start)
    await service.until_partitions("searcher", {"searcher-0": 1, "second": 1})

    await asyncio.to_thread(second.stop)
    proxy.stall()
    second.spawn()
    await until_all_but_live(second)
    assert (await service.group("searcher")).partitions.keys() == {"searcher-0"}
    proxy.heal()
    await asyncio.to_thread(second.wait_ready)
    await service.until_partitions("searcher", {"searcher-0": 1, "second": 1})


async def until_all_but_live(searcher: WorkerProcess) -> None:
    """Wait until it says that its replicas are not live, which is the last that it waits for. It is not ready then."""
    async with httpx.AsyncClient(base_url=searcher.url) as http, asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(httpx.TransportError):  # it does not listen yet
                answer = await http.get("/readyz")
                assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
                if "replicas are not live" in answer.text:
                    return
            await asyncio.sleep(0.2)
