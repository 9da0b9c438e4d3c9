"""What the searcher makes of one request: hits, an error, or, when nobody waits any more, nothing."""

import asyncio
import time

import pytest
from msgspec import UNSET
from prometheus_client import CollectorRegistry

from services.searcher.examples import ExampleCodes
from services.searcher.handler import AnswerPolicy, AnswerRequests
from services.searcher.metrics import SearcherMetrics
from services.searcher.query import AnswerQuery
from services.searcher.remembered import RememberedImages
from shared.bus.consumer import Record
from shared.events import headers as hdr
from shared.events.faults import PoisonInput, RejectReason
from shared.events.region import Region
from shared.events.search_replies import Coverage, ErrorCode, SearchReply, decode_reply
from shared.events.search_requests import Example, SearchRequest, encode_request
from shared.events.topics import Topics
from shared.index.vectors import VectorFormat
from shared.runtime.clock import CautiousClock
from tests.fakes.engine import BOMB, POISON, WORDS, FakeEngine
from tests.fakes.operations import SCHEME, code, upsert
from tests.fakes.probe import no_probe
from tests.fakes.producer import FakeProducer, Produced
from tests.fakes.records import make_record
from tests.fakes.replicas import FakeReplicas

TOPICS = Topics()
REPLIES = "somebody.replies"
MAX_IN_FLIGHT = 2


class Bench:
    def __init__(self, coverage: Coverage | None = None) -> None:
        self.ahead_s = 0.0
        self.engine = FakeEngine()
        self.replicas = FakeReplicas()
        self.producer = FakeProducer(unreachable=["nobody.listens"])
        self.registry = CollectorRegistry()
        metrics = SearcherMetrics(self.registry)
        examples = ExampleCodes(
            replicas=self.replicas,  # type: ignore[arg-type]
            engine=self.engine,  # type: ignore[arg-type]
            fetch=self._fetch,
            remembered=RememberedImages(2, metrics.remembered),
            vector_format=VectorFormat(),
        )
        query = AnswerQuery(
            replicas=self.replicas,  # type: ignore[arg-type]
            examples=examples,
            **no_probe(self.replicas, metrics),
            scheme=SCHEME,
            searcher="searcher-1",
            coverage=coverage,
        )
        self.handler = AnswerRequests(
            topics=TOPICS,
            group="afterimage.searcher",
            query=query,
            producer=self.producer,  # type: ignore[arg-type]
            metrics=metrics,
            policy=AnswerPolicy(max_in_flight=MAX_IN_FLIGHT, timeout_ms=10_000),
            searcher="searcher-1",
            clock=CautiousClock(now_s=lambda: time.time() + self.ahead_s, monotonic=time.monotonic),
            coverage=coverage or UNSET,
        )

    async def _fetch(self, uri: str) -> bytes:
        if uri != "s3://shop/cat":
            raise PoisonInput(RejectReason.NOT_FOUND, f"{uri} points at nothing")
        return code(1, 2, 3, 4)

    async def ask(self, request: SearchRequest, *headers: tuple[str, bytes]) -> SearchReply:
        """Process one request and read its reply."""
        await self.handler.process(made(request, *headers))
        return read(self.producer.sent[-1])

    async def code_of(self, request: SearchRequest) -> ErrorCode | None:
        error = (await self.ask(request)).error
        return error.code if error else None

    def counted(self, kind: str, outcome: str) -> float:
        labels = {"kind": kind, "outcome": outcome}
        return self.registry.get_sample_value("afterimage_searcher_queries_total", labels) or 0.0


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.replicas.apply(0, upsert(0, "cat", of=code(1, 2, 3, 4)), upsert(1, "dog", of=code(4, 3, 2, 1)))
    await bench.replicas.apply(1, upsert(5, "eel", of=code(-1, -2, -3, -4)))
    return bench


def now_ms() -> int:
    return int(time.time() * 1000)


def made(request: SearchRequest, *headers: tuple[str, bytes], sent_ms: int | None = None) -> Record:
    return raw(encode_request(request), *headers, sent_ms=sent_ms)


def raw(value: bytes | None, *headers: tuple[str, bytes], sent_ms: int | None = None) -> Record:
    return make_record(
        topic=TOPICS.requests,
        value=value,
        headers=[(hdr.REPLY_TO, REPLIES.encode()), (hdr.CORRELATION_ID, b"c-1"), *headers],
        timestamp=now_ms() if sent_ms is None else sent_ms,
    )


def read(reply: Produced) -> SearchReply:
    return decode_reply(reply.value or b"", (reply.header(hdr.CONTENT_TYPE) or b"").decode())


BY_ID = SearchRequest(id="cat")


@pytest.mark.parametrize(
    "request_",
    [
        BY_ID,
        SearchRequest(vector=[1.0, 2.0, 3.0, 4.0]),
        SearchRequest(image=code(1, 2, 3, 4)),
        SearchRequest(uri="s3://shop/cat"),
        SearchRequest(text=WORDS),
    ],
    ids=["id", "vector", "image", "uri", "text"],
)
async def test_every_kind_of_query_is_answered_from_all_shards(bench: Bench, request_: SearchRequest) -> None:
    reply = await bench.ask(request_)
    assert reply.error is None
    assert [hit.id for hit in reply.hits] == ["cat", "dog", "eel"]
    assert reply.hits[0].score == pytest.approx(1, abs=1e-5)
    assert (reply.positions, reply.scheme, reply.searcher) == ({0: 1, 1: 5}, SCHEME, "searcher-1")
    assert reply.timings.total_ms > 0


async def test_several_examples_are_near_and_far_by_their_weights(bench: Bench) -> None:
    near_dog = await bench.ask(SearchRequest(examples=[Example(id="dog"), Example(id="eel", weight=-0.5)]))
    assert [hit.id for hit in near_dog.hits] == ["dog", "cat", "eel"]
    between = await bench.ask(SearchRequest(examples=[Example(id="cat"), Example(image=code(4, 3, 2, 1))]))
    assert between.hits[0].score == pytest.approx(between.hits[1].score, abs=0.01)


async def test_examples_that_cancel_out_or_are_unknown_are_told(bench: Bench) -> None:
    cancelled = SearchRequest(examples=[Example(id="cat"), Example(id="cat", weight=-1)])
    assert await bench.code_of(cancelled) is ErrorCode.BAD_REQUEST
    unknown = SearchRequest(examples=[Example(id="cat"), Example(id="nobody")])
    assert await bench.code_of(unknown) is ErrorCode.UNKNOWN_ID


async def test_of_a_region_only_that_part_is_looked_at(bench: Bench) -> None:
    whole = SearchRequest(image=code(1, 2, 3, 4))
    part = SearchRequest(image=code(1, 2, 3, 4), region=Region(0, 0, 0.5, 1))
    assert (await bench.ask(part)).hits[0].score != (await bench.ask(whole)).hits[0].score


async def test_an_image_that_is_asked_for_again_is_not_encoded_again(bench: Bench) -> None:
    image = code(1, 2, 3, 4)
    for request in (
        SearchRequest(image=image),
        SearchRequest(image=image, top_k=1),
        SearchRequest(uri="s3://shop/cat"),
    ):
        assert (await bench.ask(request)).hits[0].id == "cat"
    assert bench.engine.begun == [image]
    await bench.ask(SearchRequest(image=image, region=Region(0, 0, 0.5, 0.5)))
    assert len(bench.engine.begun) == 2
    await bench.ask(SearchRequest(image=b"third"))  # two are remembered, and the whole was asked for longest ago
    await bench.ask(SearchRequest(image=image))
    assert len(bench.engine.begun) == 4
    looked_up = bench.registry.get_sample_value("afterimage_searcher_remembered_images_total", {"outcome": "hit"})
    assert looked_up == 2


async def test_the_next_page_begins_where_the_first_ends(bench: Bench) -> None:
    every = (await bench.ask(BY_ID)).hits
    pages = [(await bench.ask(SearchRequest(id="cat", top_k=1, offset=offset))).hits for offset in range(4)]
    assert pages == [[every[0]], [every[1]], [every[2]], []]


async def test_hits_bring_the_attributes_that_were_chosen(bench: Bench) -> None:
    await bench.replicas.apply(0, upsert(2, "fox", of=code(9, -9, 1, 1), attributes={"kind": "wild", "legs": 4}))
    [hit] = (await bench.ask(SearchRequest(id="fox", top_k=1, attributes=frozenset({"legs", "none"})))).hits
    assert hit.attributes == {"legs": 4}
    [hit] = (await bench.ask(SearchRequest(id="fox", top_k=1, attributes=frozenset()))).hits
    assert hit.attributes == {}


async def test_an_explanation_names_every_segment_and_what_was_compared_there(bench: Bench) -> None:
    explanation = (await bench.ask(SearchRequest(id="cat", explain=True))).explanation
    assert explanation
    searched = [(each.shard, each.segment, each.rows, each.way, each.compared) for each in explanation.segments]
    assert searched == [(0, "", 2, "scan", 2), (1, "", 1, "scan", 1)]
    assert not (await bench.ask(BY_ID)).explanation


async def test_each_request_of_a_batch_is_answered_by_itself(bench: Bench) -> None:
    reply = await bench.ask(SearchRequest(batch=[BY_ID, SearchRequest(id="nobody")]))
    assert reply.batch
    assert [hit.id for hit in reply.batch[0].hits] == ["cat", "dog", "eel"]
    assert reply.batch[1].error is not None
    assert reply.batch[1].error.code is ErrorCode.UNKNOWN_ID
    assert bench.counted("batch", "ok") == 1
    for outcome in ("ok", "unknown_id"):
        labels = {"kind": "id", "outcome": outcome}
        assert bench.registry.get_sample_value("afterimage_searcher_batched_queries_total", labels) == 1


async def test_a_query_that_would_not_be_answered_in_time_is_told_at_once(bench: Bench) -> None:
    bench.handler._admission._interval_s = 1.0
    bench.engine.gate.clear()
    waiting = asyncio.create_task(bench.handler.process(made(SearchRequest(image=code(1, 2, 3, 4)))))
    await asyncio.sleep(0.1)
    hasty, patient = (SearchRequest(id="cat", timeout_ms=ms) for ms in (1_000, 5_000))
    assert (await bench.code_of(hasty), await bench.code_of(patient)) == (ErrorCode.OVERLOADED, None)
    bench.engine.gate.set()
    await waiting
    assert bench.counted("id", "overloaded") == 1


async def test_a_reply_is_known_by_the_headers_of_its_request(bench: Bench) -> None:
    spring = (hdr.SPRING_CORRELATION_ID, b"\x00\xff\x10")
    trace = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    await bench.ask(BY_ID, spring, trace, (hdr.REPLY_PARTITION, b"3"))
    [reply] = bench.producer.sent
    assert (reply.topic, reply.partition) == (REPLIES, 3)
    assert {(hdr.CORRELATION_ID, b"c-1"), spring, trace} <= set(reply.headers)


@pytest.mark.parametrize("encoding", [hdr.JSON, hdr.MSGPACK])
async def test_a_reply_is_encoded_as_its_request(bench: Bench, encoding: str) -> None:
    content_type = (hdr.CONTENT_TYPE, f"{encoding}; charset=utf-8".encode())
    await bench.handler.process(raw(encode_request(BY_ID, encoding), content_type))
    [reply] = bench.producer.sent
    assert reply.header(hdr.CONTENT_TYPE) == encoding.encode()
    assert read(reply).hits


async def test_only_as_many_hits_as_asked_for_and_good_enough(bench: Bench) -> None:
    assert [hit.id for hit in (await bench.ask(SearchRequest(id="cat", top_k=2))).hits] == ["cat", "dog"]
    assert [hit.id for hit in (await bench.ask(SearchRequest(id="cat", min_score=0.99))).hits] == ["cat"]


async def test_what_is_excluded_is_no_hit_and_its_place_is_filled(bench: Bench) -> None:
    request = SearchRequest(id="cat", top_k=2, exclude=frozenset({"cat", "nobody"}))
    assert [hit.id for hit in (await bench.ask(request)).hits] == ["dog", "eel"]


async def test_an_exact_search_finds_what_there_is(bench: Bench) -> None:
    reply = await bench.ask(SearchRequest(id="cat", exact=True))
    assert [hit.id for hit in reply.hits] == ["cat", "dog", "eel"]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (SearchRequest(id="nobody"), ErrorCode.UNKNOWN_ID),
        (SearchRequest(image=POISON), ErrorCode.IMAGE_REJECTED),
        (SearchRequest(uri="s3://shop/nothing"), ErrorCode.IMAGE_REJECTED),
        (SearchRequest(vector=[1.0, 2.0]), ErrorCode.BAD_REQUEST),
        (SearchRequest(text="no such word"), ErrorCode.UNSUPPORTED),
        (SearchRequest(id="cat", min_position={9: 1}), ErrorCode.BAD_REQUEST),
        (SearchRequest(id="cat", filter={"price": {"$about": 3}}), ErrorCode.BAD_REQUEST),
    ],
    ids=["unknown id", "poison", "nothing there", "length", "no text side", "unknown shard", "filter"],
)
async def test_a_request_that_cannot_be_answered_gets_an_error_with_a_code(
    bench: Bench, request_: SearchRequest, expected: ErrorCode
) -> None:
    assert await bench.code_of(request_) is expected


@pytest.mark.parametrize("value", [b"", None, b"noise", b'{"top_k": 3}', b'{"id": "cat", "top_k": 0}'])
async def test_a_request_that_breaks_the_contract_is_told_so(bench: Bench, value: bytes | None) -> None:
    await bench.handler.process(raw(value))
    error = read(bench.producer.sent[0]).error
    assert error is not None
    assert error.code is ErrorCode.BAD_REQUEST
    assert bench.counted("unknown", "bad_request") == 1


async def test_a_searcher_whose_replicas_are_behind_says_that_it_is_not_ready(bench: Bench) -> None:
    bench.replicas.problem = "replicas are not live: {1: 'gap'}"
    reply = await bench.ask(BY_ID)
    assert reply.error is not None
    assert (reply.error.code, reply.error.message) == (ErrorCode.NOT_READY, bench.replicas.problem)


async def test_a_query_waits_for_replicas_that_are_about_to_be_live(bench: Bench) -> None:
    bench.replicas.problem = "replicas are not live: {1: 'gap'}"
    asked = asyncio.create_task(bench.ask(BY_ID))
    await asyncio.sleep(0.9)
    assert not asked.done()
    bench.replicas.problem = None
    assert (await asked).hits


async def test_vectors_of_different_schemes_are_never_compared(bench: Bench) -> None:
    bench.replicas.shards[1].scheme = "another"
    reply = await bench.ask(BY_ID)
    assert reply.error is not None
    assert reply.error.code is ErrorCode.NOT_READY
    assert "another" in reply.error.message


async def test_not_even_with_the_first_that_come_while_the_query_is_encoded() -> None:
    bench = Bench()
    bench.engine.gate.clear()
    asked = asyncio.create_task(bench.ask(SearchRequest(image=code(1, 2, 3, 4))))
    async with asyncio.timeout(5):
        while not bench.engine.begun:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
    await bench.replicas.apply(0, upsert(0, "cat", of=code(1, 2, 3, 4), scheme="another"))
    bench.engine.gate.set()
    reply = await asked
    assert reply.error is not None
    assert reply.error.code is ErrorCode.NOT_READY
    assert "another" in reply.error.message


async def test_a_query_that_breaks_the_device_is_answered_and_ends_nothing(bench: Bench) -> None:
    assert await bench.code_of(SearchRequest(image=BOMB)) is ErrorCode.INTERNAL
    assert await bench.code_of(BY_ID) is None


async def test_a_reply_that_fits_no_record_becomes_an_error_that_says_what_helps(bench: Bench) -> None:
    rows = [upsert(10 + n, f"id-{n}", attributes={"text": "x" * 16_000}) for n in range(100)]
    await bench.replicas.apply(0, *rows)
    reply = await bench.ask(SearchRequest(id="cat", top_k=100))
    assert reply.error is not None
    assert reply.error.code is ErrorCode.BAD_REQUEST
    assert "top_k" in reply.error.message


@pytest.mark.parametrize(
    ("sent_ago_ms", "timeout_ms", "deadline_in_ms"),
    [(11_000, None, None), (500, 400, None), (0, None, -1), (0, 60_000, -1)],
    ids=["default timeout", "own timeout", "deadline", "the deadline counts before the timeout"],
)
async def test_a_request_that_nobody_waits_for_is_dropped_and_counted(
    bench: Bench, sent_ago_ms: int, timeout_ms: int | None, deadline_in_ms: int | None
) -> None:
    headers = [] if deadline_in_ms is None else hdr.encode([(hdr.DEADLINE, now_ms() + deadline_in_ms)])
    request = SearchRequest(id="cat", timeout_ms=timeout_ms)
    await bench.handler.process(made(request, *headers, sent_ms=now_ms() - sent_ago_ms))
    assert bench.producer.sent == []
    assert bench.counted("id", "expired") == 1


async def test_a_clock_that_jumps_ahead_leaves_nobody_without_an_answer(bench: Bench) -> None:
    bench.ahead_s = 3600.0
    assert (await bench.ask(BY_ID)).hits
    assert (await bench.ask(BY_ID, *hdr.encode([(hdr.DEADLINE, now_ms() + 5_000)]))).hits


async def test_a_reader_of_its_own_write_waits_until_the_replica_has_it(bench: Bench) -> None:
    asked = asyncio.create_task(bench.ask(SearchRequest(id="cat", min_position={0: 2})))
    await asyncio.sleep(0.1)
    assert not asked.done()
    await bench.replicas.apply(0, upsert(2, "new"))
    assert "new" in [hit.id for hit in (await asked).hits]


async def test_a_position_that_is_not_reached_in_time_is_told(bench: Bench) -> None:
    request = SearchRequest(id="cat", min_position={0: 99}, timeout_ms=1000)
    reply = await bench.ask(request)
    assert reply.error is not None
    assert reply.error.code is ErrorCode.NOT_YET
    assert reply.positions == {0: 1, 1: 5}


async def test_a_deadline_in_the_far_future_does_not_hold_its_place_for_ever(bench: Bench) -> None:
    began = asyncio.get_running_loop().time()
    reply = await bench.ask(SearchRequest(id="cat", min_position={0: 99}), (hdr.DEADLINE, b"9000000000000000000"))
    assert reply.error is not None
    assert reply.error.code is ErrorCode.NOT_YET
    assert asyncio.get_running_loop().time() - began <= 600


async def test_a_searcher_that_is_stopped_answers_what_is_under_way_in_time(bench: Bench) -> None:
    began = asyncio.get_running_loop().time()
    soon, late = (SearchRequest(id="cat", min_position={0: 99}, timeout_ms=ms) for ms in (2_000, 60_000))
    first = asyncio.create_task(bench.ask(soon))
    second = asyncio.create_task(bench.ask(late))
    await asyncio.sleep(0.1)
    bench.handler.hurry(5)
    codes = [reply.error.code for reply in await asyncio.gather(first, second) if reply.error]
    assert codes == [ErrorCode.NOT_YET, ErrorCode.NOT_READY]
    assert asyncio.get_running_loop().time() - began < 6


async def test_beyond_the_most_at_once_a_query_is_told_that_there_are_too_many(bench: Bench) -> None:
    bench.engine.gate.clear()
    image = SearchRequest(image=code(1, 2, 3, 4))
    waiting = [asyncio.create_task(bench.handler.process(made(image))) for _ in range(MAX_IN_FLIGHT)]
    await asyncio.sleep(0.1)
    assert await bench.code_of(BY_ID) is ErrorCode.OVERLOADED
    bench.engine.gate.set()
    await asyncio.gather(*waiting)
    assert bench.counted("image", "ok") == MAX_IN_FLIGHT
    assert await bench.code_of(BY_ID) is None


@pytest.mark.parametrize("topic", [None, b"", b"images.features", b"search.requests", b"__consumer_offsets"])
async def test_a_request_that_names_no_topic_for_replies_is_counted_and_left(bench: Bench, topic: bytes | None) -> None:
    headers = [] if topic is None else [(hdr.REPLY_TO, topic)]
    value = encode_request(BY_ID)
    await bench.handler.process(make_record(value=value, headers=headers, timestamp=now_ms()))
    assert bench.producer.sent == []
    assert bench.counted("unknown", "no_reply_topic") == 1


async def test_a_reply_that_reaches_nobody_is_counted(bench: Bench) -> None:
    await bench.handler.process(made(BY_ID, (hdr.REPLY_TO, b"nobody.listens")))
    assert bench.producer.sent == []
    assert bench.counted("id", "reply_failed") == 1


SOME = Coverage(shards=[0, 1], of=4)


@pytest.fixture
async def partial() -> Bench:
    """Of four shards, this searcher holds the first two."""
    bench = Bench(SOME)
    await bench.replicas.apply(0, upsert(0, "cat", of=code(1, 2, 3, 4)), upsert(1, "dog", of=code(4, 3, 2, 1)))
    return bench


async def test_a_searcher_of_some_shards_names_them_and_gives_the_hits_of_all_pages_up_to_this(partial: Bench) -> None:
    reply = await partial.ask(SearchRequest(vector=[1.0, 2.0, 3.0, 4.0], offset=1, top_k=1))
    assert ([hit.id for hit in reply.hits], reply.coverage, reply.missing) == (["cat", "dog"], SOME, [2, 3])


async def test_a_searcher_of_some_shards_gives_the_codes_by_which_the_others_can_be_asked(partial: Bench) -> None:
    reply = await partial.ask(BY_ID)
    assert reply.codes == {"cat": code(1, 2, 3, 4)}
    unknown = await partial.ask(SearchRequest(examples=[Example(id="cat"), Example(id="eel")]))
    assert unknown.error
    assert (unknown.error.code, unknown.codes) == (ErrorCode.UNKNOWN_ID, reply.codes)
    assert unknown.coverage == SOME
    by_code = await partial.ask(SearchRequest(code=reply.codes["cat"]))
    assert by_code.hits == reply.hits
    assert await partial.code_of(SearchRequest(code=b"123")) is ErrorCode.BAD_REQUEST


async def test_a_searcher_of_some_shards_waits_for_their_positions_alone(partial: Bench) -> None:
    assert await partial.code_of(SearchRequest(id="cat", min_position={0: 1, 3: 1_000})) is None
    assert await partial.code_of(SearchRequest(id="cat", min_position={4: 0})) is ErrorCode.BAD_REQUEST


async def test_a_searcher_of_all_shards_says_nothing_of_them(bench: Bench) -> None:
    reply = await bench.ask(BY_ID)
    assert not reply.coverage
    assert not reply.codes
