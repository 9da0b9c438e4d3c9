"""What tracing costs the workers: `python -m benchmarks.tracing`.

Three services on one broker and one Redis: one does not trace, one traces one image or query in a hundred, one all.
They work in turns, so that a machine that changes its pace changes it for all. What is compared is processor time,
which others on the machine hardly change: of each worker's own process, with the thread that sends the spans, and
without the processes that decode.
"""

import argparse
import asyncio
import tempfile
import time
import timeit
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import TypeAlias

import numpy as np
from aiokafka import ConsumerRecord

from benchmarks.machine import describe
from benchmarks.table import Measured, Part, median_ratio, say
from benchmarks.worker_metrics import WorkerMetrics
from shared.bus import tracing as bus_tracing
from shared.client import AfterimageClient
from shared.runtime import tracing
from tests.harness.choice import choose_broker
from tests.harness.daemon import session_reaper
from tests.harness.otlp import Collector
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import Service
from tests.harness.workers import WorkerProcess

Call: TypeAlias = Callable[[], Awaitable[None]]
OFF, SOME, ALL = "off", "one in 100", "all"
_TIMEOUT_S = 120.0
_SIDE_BY_SIDE = 16
_CALLS = 20_000
_REQUEST = ConsumerRecord("search.requests", 0, 0, 0, 0, None, b"", None, 0, 0, ())
_DIM = 1280
"""Of the default model's vectors."""


class Contender:
    """One service, and what its workers took for each image and each query, by round."""

    def __init__(self, name: str, service: Service, client: AfterimageClient) -> None:
        self.name = name
        self.service = service
        self.image_ms: list[float] = []
        self.query_ms: list[float] = []
        self._client = client
        self._uploaded = 0

    async def round(self, pictures: Sequence[bytes], vectors: Sequence[Sequence[float]]) -> None:
        service = self.service
        before = _cpu_ms([service.extractor, service.indexer])
        await _side_by_side([self._upload_of(data) for data in pictures])
        self.image_ms.append((_cpu_ms([service.extractor, service.indexer]) - before) / len(pictures))
        before = _cpu_ms(service.searchers)
        await _side_by_side([self._query_of(vector) for vector in vectors])
        self.query_ms.append((_cpu_ms(service.searchers) - before) / len(vectors))

    def _upload_of(self, data: bytes) -> Call:
        self._uploaded += 1
        image_id = f"image-{self._uploaded}"

        async def upload() -> None:
            await self._client.wait_searchable(await self._client.upload(image_id, data=data), timeout_s=_TIMEOUT_S)

        return upload

    def _query_of(self, vector: Sequence[float]) -> Call:
        async def query() -> None:
            reply = await self._client.search(vector=vector, timeout_s=_TIMEOUT_S)
            assert reply.error is None, reply.error

        return query


def _cpu_ms(workers: Sequence[WorkerProcess]) -> float:
    return 1000 * sum(WorkerMetrics(worker).total("process_cpu_seconds_total") for worker in workers)


async def _side_by_side(calls: Sequence[Call]) -> None:
    turn = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def one(call: Call) -> None:
        async with turn:
            await call()

    await asyncio.gather(*(one(call) for call in calls))


async def _race(services: Mapping[str, Service], *, rounds: int, images: int, queries: int) -> list[Contender]:
    rng = np.random.default_rng(0)
    async with AsyncExitStack() as stack:
        contenders = []
        for name, service in services.items():
            client = AfterimageClient(service.bootstrap_servers, namespace=service.namespace)
            contenders.append(Contender(name, service, await stack.enter_async_context(client)))
        for number in range(rounds + 1):  # the first warms up
            say(f"round {number} of {rounds}")
            pictures = list(small_pictures(images, seed=number))
            vectors = rng.standard_normal((queries, _DIM)).tolist()
            first = number % len(contenders)  # who comes later in a round finds another machine
            for contender in (*contenders[first:], *contenders[:first]):
                await contender.round(pictures, vectors)
    return contenders


def _calls_of_a_query() -> None:
    """What a searcher calls for a query by image, beside its work."""
    with bus_tracing.processing(_REQUEST, group="searcher"):
        bus_tracing.waited(_REQUEST)
        for stage in ("reach", "decode"):
            with tracing.stage(stage):
                pass
        for stage in ("encode", "search"):
            with tracing.stage(stage), tracing.batch(f"{stage} batch", [tracing.current()]):
                pass
        with bus_tracing.sending("search.replies", received=_REQUEST.headers) as headers:
            assert headers == []


def _calls_alone() -> Part:
    """In this process, which does not trace."""
    repeats = timeit.repeat(_calls_of_a_query, number=_CALLS, repeat=20, timer=time.process_time)
    times = [seconds / _CALLS * 1e6 for seconds in repeats]
    row = Measured(name="calls that do nothing", values=times)
    return Part(title="A query by image, where tracing is off", unit="µs of CPU", rows=[row], ratios={})


def _part(title: str, times: Mapping[str, Sequence[float]]) -> Part:
    off = times[OFF]
    return Part(
        title=title,
        unit="ms of CPU",
        rows=[Measured(name=name, values=values) for name, values in times.items()],
        ratios={f"{name.replace(' ', '_')}_over_off": median_ratio(times[name], off) for name in (SOME, ALL)},
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--images", type=int, default=100, help="a round")
    arguments.add_argument("--queries", type=int, default=1500, help="a round")
    options = arguments.parse_args()
    print(describe())
    _calls_alone().show()
    with ExitStack() as running, Collector() as collector:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="afterimage-bench-")))
        session_reaper().adopt_folder(folder)
        broker = running.enter_context(choose_broker().make(folder / "kafka"))
        redis = running.enter_context(RedisServer(folder))
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        some = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"}
        services = {}
        for number, (name, env) in enumerate(((OFF, {}), (SOME, traced | some), (ALL, traced))):
            say(f"starting the workers of: {name}")
            (folder / str(number)).mkdir()
            service = Service(
                bootstrap_servers=broker.bootstrap_servers,
                redis_url=redis.url,
                namespace=f"traced-{number}",
                folder=folder / str(number),
                env=env,
                warm=False,
            )
            services[name] = running.enter_context(service)
        contenders = asyncio.run(_race(services, rounds=options.rounds, images=options.images, queries=options.queries))
        spans = len(collector.spans)
    _part("An image, of extractor and indexer", {each.name: each.image_ms[1:] for each in contenders}).show()
    _part("A query by vector, of the searcher", {each.name: each.query_ms[1:] for each in contenders}).show()
    print(f"\n{spans} spans arrived")


if __name__ == "__main__":
    main()
