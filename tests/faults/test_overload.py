"""More is asked than a searcher can answer: who is answered is answered in time, and the others are told at once."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from shared.client import AfterimageClient, NoAnswer
from shared.events.search_replies import ErrorCode
from tests.harness.kafka import Broker
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import Indexing

pytestmark = pytest.mark.slow

BOUND = 16
ENV = {"SEARCHER_MAX_IN_FLIGHT": str(BOUND), "SEARCHER_REMEMBERED_IMAGES": "0"}
IMAGES = list(small_pictures(32))
MEASURED_S = 5.0
OVERLOAD = 3
LATE = "late"
"""The outcome of a search that nobody answered."""


@pytest.fixture(scope="module")
def service(kafka: Broker, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexing]:
    with Indexing(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace="overload",
        folder=tmp_path_factory.mktemp("overload"),
        env=ENV,
    ) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: str
    seconds: float


class Crowd:
    """Asks by image, and notes what came of it."""

    def __init__(self, client: AfterimageClient, *, deadline_s: float) -> None:
        self._client = client
        self._deadline_s = deadline_s
        self._asked = 0
        self.answers: list[Answer] = []

    async def ask(self) -> None:
        self._asked += 1
        began = time.perf_counter()
        try:
            reply = await self._client.search(image=IMAGES[self._asked % len(IMAGES)], timeout_s=self._deadline_s)
            outcome = reply.error.code.value if reply.error else "ok"
        except NoAnswer:
            outcome = LATE
        self.answers.append(Answer(outcome, time.perf_counter() - began))

    def seconds(self, outcome: str) -> list[float]:
        return [answer.seconds for answer in self.answers if answer.outcome == outcome]


async def capacity(client: AfterimageClient) -> float:
    """Answers a second, asked for by as many as are taken at once."""
    crowd = Crowd(client, deadline_s=60)
    until = time.perf_counter() + MEASURED_S

    async def insist() -> None:
        while time.perf_counter() < until:
            await crowd.ask()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(BOUND):
            tasks.create_task(insist())
    assert len(crowd.seconds("ok")) == len(crowd.answers)
    return len(crowd.answers) / MEASURED_S


async def flood(client: AfterimageClient, *, per_s: float, deadline_s: float) -> Crowd:
    """Ask so many a second, whatever is answered."""
    crowd = Crowd(client, deadline_s=deadline_s)
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(per_s * MEASURED_S)):
            await asyncio.sleep(began + number / per_s - time.perf_counter())
            tasks.create_task(crowd.ask())
    return crowd


async def counted(service: Indexing, outcome: str) -> float:
    async with ClientSession() as session, session.get(f"{service.searchers[0].url}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "afterimage_searcher_queries_total" and sample.labels["outcome"] == outcome
    )


@pytest.mark.parametrize("patience", [4.0, 0.5], ids=["longer than the queue is", "shorter than the queue is"])
async def test_at_three_times_the_capacity_as_many_are_answered_and_in_time(service: Indexing, patience: float) -> None:
    """patience: times what those that are taken at once take together."""
    async with AfterimageClient(service.bootstrap_servers, namespace="overload", max_in_flight=10_000) as client:
        await capacity(client)  # until everything is warm
        before = await capacity(client)
        deadline_s = patience * BOUND / before
        crowd = await flood(client, per_s=OVERLOAD * before, deadline_s=deadline_s)
        after = await capacity(client)
    good, refused = crowd.seconds("ok"), crowd.seconds(ErrorCode.OVERLOADED)
    figures = (
        f"{before:.0f}/s before and {after:.0f}/s after, {len(good) / MEASURED_S:.0f}/s of {OVERLOAD * before:.0f}/s, "
        f"deadline {deadline_s:.2f} s"
    )
    # Of both, since other work on the machine comes and goes: what it takes must not count as lost by the overload.
    assert len(good) / MEASURED_S > 0.5 * min(before, after), figures
    assert np.percentile(good, 99) < deadline_s + 0.1, figures
    assert len(refused) > len(crowd.answers) / 3, figures
    assert np.median(refused) < 0.25 * deadline_s, figures


async def test_what_nobody_waits_for_any_more_is_dropped_and_counted(service: Indexing) -> None:
    before, answered = await counted(service, "expired"), await counted(service, "ok")
    async with AfterimageClient(service.bootstrap_servers, namespace="overload") as client:
        service.searchers[0].pause()
        try:
            crowd = Crowd(client, deadline_s=0.2)
            await asyncio.gather(*(crowd.ask() for _ in range(2 * BOUND)))
        finally:
            service.searchers[0].resume()
        assert len(crowd.seconds(LATE)) == 2 * BOUND
        async with asyncio.timeout(60):
            while await counted(service, "expired") < before + 2 * BOUND:  # noqa: ASYNC110 - it tells only who asks
                await asyncio.sleep(0.1)
    assert await counted(service, "ok") == answered
