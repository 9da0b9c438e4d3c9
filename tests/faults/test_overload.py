"""More is asked than a searcher can answer: who is answered is answered in time, and the others are told at once."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import httpx
import numpy as np
import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from shared.bus.producer import RecordProducer
from shared.client import AfterimageClient, NoAnswer, Query
from shared.events.features import FeatureRecord, encode_feature
from shared.events.images import VERSION, SourcePosition
from shared.events.search_replies import ErrorCode
from shared.events.topics import Topics
from tests.faults.crowd import BOUND, LATE, Ask, Crowd, judge_overload
from tests.harness.kafka import Broker
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import Indexing

pytestmark = pytest.mark.slow

NAMESPACE = "overload"
ENV = {"SEARCHER_MAX_IN_FLIGHT": str(BOUND), "SEARCHER_REMEMBERED_IMAGES": "0"}
IMAGES = list(small_pictures(32))
BY_IMAGE: list[Query] = [{"image": image} for image in IMAGES]
ROWS, DIMENSIONS = 20_000, 1280
"""So many that an exact search, done twice to explain it, takes the searcher far longer than asking takes us."""


@pytest.fixture(scope="module")
def service(kafka: Broker, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexing]:
    with Indexing(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace=NAMESPACE,
        folder=tmp_path_factory.mktemp("overload"),
        env=ENV,
    ) as running:
        yield running


@pytest.fixture
async def client(service: Indexing) -> AsyncIterator[AfterimageClient]:
    async with AfterimageClient(service.bootstrap_servers, namespace=NAMESPACE, max_in_flight=10_000) as client:
        yield client


@pytest.fixture(scope="module")
def codes(service: Indexing) -> np.ndarray:
    """What is indexed: int8, (ROWS, DIMENSIONS)."""
    codes = np.random.default_rng(1).integers(-127, 128, (ROWS, DIMENSIONS), dtype=np.int8)
    asyncio.run(index(service, codes))
    return codes


async def index(service: Indexing, codes: np.ndarray) -> None:
    async with (
        AfterimageClient(service.bootstrap_servers, namespace=NAMESPACE) as client,
        RecordProducer(service.bootstrap_servers, client_id="test", linger_ms=5) as producer,
    ):
        scheme = (await client.search(image=IMAGES[0], timeout_s=60)).scheme
        for first in range(0, ROWS, 500):
            await asyncio.gather(
                *(put(producer, number, codes[number], scheme) for number in range(first, first + 500))
            )
        async with asyncio.timeout(120):
            while (await client.search(id=str(ROWS - 1), timeout_s=60)).error:  # noqa: ASYNC110 - another process reads
                await asyncio.sleep(0.2)


async def put(producer: RecordProducer, number: int, code: np.ndarray, scheme: str) -> None:
    record = FeatureRecord(
        v=VERSION,
        id=str(number),
        code=code.tobytes(),
        scheme=scheme,
        source=SourcePosition(offset=number, partition=0),
        uploaded_at=1_000,
    )
    topic = Topics(NAMESPACE).features
    await producer.send_until_acknowledged(topic, key=record.id.encode(), value=encode_feature(record))


def over_the_bus(client: AfterimageClient, queries: Sequence[Query]) -> Ask:
    """Asks them in turn."""

    async def ask(number: int, deadline_s: float) -> str:
        try:
            reply = await client.search(**queries[number % len(queries)], timeout_s=deadline_s)
        except NoAnswer:
            return LATE
        return reply.error.code.value if reply.error else "ok"

    return ask


def over_http(http: httpx.AsyncClient) -> Ask:
    async def ask(number: int, deadline_s: float) -> str:
        files = {"image": IMAGES[number % len(IMAGES)]}
        answer = await http.post(f"/search?timeout={max(deadline_s, 0.01)}", files=files)
        if answer.status_code == 504:
            return LATE
        return "ok" if answer.is_success else str(answer.json()["code"])

    return ask


async def counted(service: Indexing, outcome: str) -> float:
    async with ClientSession() as session, session.get(f"{service.searchers[0].url}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "afterimage_searcher_queries_total" and sample.labels["outcome"] == outcome
    )


async def test_at_three_times_the_capacity_as_many_are_answered_though_a_deadline_is_shorter_than_the_queue(
    client: AfterimageClient,
) -> None:
    ask = over_the_bus(client, BY_IMAGE)
    # With so little time only a few wait at once: they come in small batches, which take longer for each.
    await judge_overload(ask, patience=0.5, refusals=(ErrorCode.OVERLOADED,), kept=0.2)


async def test_so_it_is_for_searches_that_need_no_encoder(client: AfterimageClient, codes: np.ndarray) -> None:
    """With a deadline that is longer than the queue is, as in those that follow."""
    kinds: list[Query] = [{"vector": codes[0].astype(np.float32)}, {"id": "0"}]
    ask = over_the_bus(client, [{**kind, "exact": True, "explain": True, "top_k": 3} for kind in kinds])
    await judge_overload(ask, patience=4.0, refusals=(ErrorCode.OVERLOADED,))


BUSY = {
    "the searcher": {"GATEWAY_MAX_IN_FLIGHT": "10000", "GATEWAY_MAX_IN_FLIGHT_EACH": "10000"},
    "the gateway": {"GATEWAY_MAX_IN_FLIGHT": str(BOUND), "GATEWAY_MAX_IN_FLIGHT_EACH": "10000"},
    "the caller's share": {"GATEWAY_MAX_IN_FLIGHT": "10000", "GATEWAY_MAX_IN_FLIGHT_EACH": str(BOUND)},
}


@pytest.mark.parametrize(("busy", "code"), [*zip(BUSY, ["overloaded", "overloaded", "too_many_at_once"], strict=True)])
async def test_so_it_is_over_http_whoever_is_the_first_to_have_too_much_to_do(
    service: Indexing, busy: str, code: str
) -> None:
    limits = httpx.Limits(max_connections=None)
    gateway = service.worker("gateway", f"gateway-{busy[-6:]}", env={**BUSY[busy], "GATEWAY_RATE_PER_S": "10000"})
    await asyncio.to_thread(gateway.start)
    try:
        async with httpx.AsyncClient(base_url=gateway.url, timeout=90, limits=limits) as http:
            await judge_overload(over_http(http), patience=4.0, refusals=(code,))
    finally:
        await asyncio.to_thread(gateway.stop)


async def test_what_nobody_waits_for_any_more_is_dropped_and_counted(
    service: Indexing, client: AfterimageClient
) -> None:
    before, answered = await counted(service, "expired"), await counted(service, "ok")
    service.searchers[0].pause()
    try:
        crowd = Crowd(over_the_bus(client, BY_IMAGE), deadline_s=0.2)
        await asyncio.gather(*(crowd.ask() for _ in range(2 * BOUND)))
    finally:
        service.searchers[0].resume()
    assert len(crowd.seconds(LATE)) == 2 * BOUND
    async with asyncio.timeout(60):
        while await counted(service, "expired") < before + 2 * BOUND:  # noqa: ASYNC110 - it tells only who asks
            await asyncio.sleep(0.1)
    assert await counted(service, "ok") == answered
