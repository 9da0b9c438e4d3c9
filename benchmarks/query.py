"""Part 2: a query's round trip, against a bare echo on the same broker plus the bare work."""

import asyncio

from benchmarks.bare import BareExtraction, BareSearch
from benchmarks.bare_bus import ECHO_REPLIES, ECHO_REQUESTS, BareTopics, bare_topics
from benchmarks.clock import Lap
from benchmarks.echo import EchoProcess, echo_request
from benchmarks.laps import Laps
from benchmarks.photos import photos
from benchmarks.plan import Plan
from benchmarks.stack import Stack
from benchmarks.table import Measured, Part, counted
from shared.client import AfterimageClient
from shared.events import headers as hdr
from shared.events.search_replies import SearchReply, encode_reply
from shared.events.search_requests import SearchRequest, encode_request

TOP_K = 10
_WARM_UP = 10
_TIMEOUT_S = 60.0
_STAGES = ("queue", "decode", "encode", "search")


async def measure(plan: Plan, bare: BareExtraction, client: AfterimageClient, search: BareSearch, stack: Stack) -> Part:
    """One query at a time. Each repetition times the query and all of its parts."""
    echo_process = EchoProcess(stack.bootstrap_servers, stack.folder)
    await asyncio.to_thread(echo_process.start)
    try:
        async with bare_topics(stack.bootstrap_servers, to=ECHO_REQUESTS.name, back=ECHO_REPLIES.name) as echo:
            queries = _Queries(bare, client, search, echo)
            image, image_parts, *image_rows = await queries.by_image(plan.image_queries)
            vector, vector_parts, *vector_rows = await queries.by_vector(plan.vector_queries)
    finally:
        await asyncio.to_thread(echo_process.stop)
    return Part(
        title="2. Query, one at a time",
        unit="ms",
        rows=[image, image_parts, *image_rows, vector, vector_parts, *vector_rows],
        ratios={
            "query_p50_over_parts": image.p50 / image_parts.p50,
            "query_p99_over_parts": image.p99 / image_parts.p99,
            "vector_query_p50_over_parts": vector.p50 / vector_parts.p50,
            "vector_query_p99_over_parts": vector.p99 / vector_parts.p99,
        },
        notes=[f"{len(search)} images in the index, top {TOP_K}", "in: as the searcher's reply says"],
    )


class _Queries:
    """Each method gives the query's times, the sum of the parts, and then what explains them."""

    def __init__(self, bare: BareExtraction, client: AfterimageClient, search: BareSearch, echo: BareTopics) -> None:
        self._bare = bare
        self._client = client
        self._search = search
        self._echo = echo

    async def by_image(self, count: int) -> list[Measured]:
        laps = Laps(warm_up=_WARM_UP)
        for number in counted("query by image", _WARM_UP + count):
            image = photos()[number % len(photos())]
            await self._ask_and_echo(SearchRequest(image=image, top_k=TOP_K), laps)
            with Lap() as lap:
                code = self._bare.extract(image)
            laps.add("encode", lap.ms)
            self._search_for(code, laps)
        return _rows(laps, "image", ("echo", "encode", "search"))

    async def by_vector(self, count: int) -> list[Measured]:
        images = photos()[:_WARM_UP]
        vectors = [self._bare.vector(image) for image in images]
        codes = [self._bare.extract(image) for image in images]
        laps = Laps(warm_up=_WARM_UP)
        for number in counted("query by vector", _WARM_UP + count):
            await self._ask_and_echo(SearchRequest(vector=vectors[number % len(images)], top_k=TOP_K), laps)
            self._search_for(codes[number % len(images)], laps)
        return _rows(laps, "vector", ("echo", "search"))

    async def _ask_and_echo(self, request: SearchRequest, laps: Laps) -> None:
        """Time the query, and an echo with as many bytes each way."""
        with Lap() as lap:
            reply = await self._client.search(
                image=request.image, vector=request.vector, top_k=request.top_k, timeout_s=_TIMEOUT_S
            )
        _check(reply)
        laps.add("query", lap.ms)
        for stage in _STAGES:
            laps.add(f"in {stage}", getattr(reply.timings, f"{stage}_ms"))
        message = echo_request(len(encode_request(request, hdr.MSGPACK)), len(encode_reply(reply, hdr.MSGPACK)))
        with Lap() as lap:
            await self._echo.round(message)
        laps.add("echo", lap.ms)

    def _search_for(self, code: bytes, laps: Laps) -> None:
        with Lap() as lap:
            self._search.search(code, TOP_K)
        laps.add("search", lap.ms)


def _rows(laps: Laps, kind: str, parts: tuple[str, ...]) -> list[Measured]:
    explained = [*parts, *(f"in {stage}" for stage in _STAGES)]
    rows = [laps.measured("query"), laps.total("parts", parts), *(laps.measured(name) for name in explained)]
    return [Measured(name=f"{kind}: {row.name}", values=row.values, note=row.note) for row in rows]


def _check(reply: SearchReply) -> None:
    assert reply.error is None, reply.error
    assert len(reply.hits) == TOP_K
