"""Where a reply goes, what it is known by, and how it is encoded."""

import pytest

from shared.events import headers as hdr
from shared.events.search_replies import ErrorCode
from shared.events.search_requests import SearchRequest, encode_request
from tests.fakes.records import make_record
from tests.unit.searcher.bench import BY_ID, REPLIES, Bench, made, now_ms, raw, read


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
