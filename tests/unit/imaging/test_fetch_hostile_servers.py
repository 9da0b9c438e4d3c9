"""What a server answers costs its own reference alone: time and memory are bounded, whatever comes."""

import gzip
import tracemalloc

import pytest

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy
from tests.unit.imaging.raw_web import RawSite

MAX_BYTES = 100_000
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(bytes(50_000_000))


async def rejection(site: RawSite, *, timeout_s: float = 20) -> PoisonInput:
    policy = FetchPolicy(allow_private_addresses=True, max_bytes=MAX_BYTES, timeout_s=timeout_s, attempts=1)
    async with Fetcher(policy) as fetcher:
        with pytest.raises(PoisonInput) as caught:
            await fetcher.fetch(site.url)
    return caught.value


@pytest.mark.parametrize(
    ("first", "more"),
    [
        pytest.param(OK, b"X-Header: of many\r\n" * 100, id="headers without end"),
        pytest.param(OK + b"X-Header: ", b"x" * 10_000, id="a header without end"),
        pytest.param(b"HTTP/1.1 200 ", b"x" * 10_000, id="a status without end"),
        pytest.param(CHUNKED + b"2\r\nok\r\n0\r\n", b"X-Trailer: of many\r\n" * 100, id="trailers without end"),
        pytest.param(b"SSH-2.0-OpenSSH_9.9\r\n", b"", id="another protocol"),
        pytest.param(b"", b"", id="nothing"),
        pytest.param(OK + b"Content-Length: -5\r\n\r\nimage", b"", id="a negative length"),
        pytest.param(OK + b"Content-Length: 99999999999999999999\r\n\r\nimage", b"", id="a length beyond 64 bits"),
        pytest.param(OK + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nimage", b"", id="two lengths"),
        pytest.param(
            OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nimage\r\n0\r\n\r\n",
            b"",
            id="both lengths",
        ),
        pytest.param(OK + b"Content-Length: 50\r\n\r\nimage", b"", id="less than announced"),
        pytest.param(OK + b"Content-Length: 3\r\n\r\nimage", b"", id="more than announced"),
        pytest.param(CHUNKED + b"FFFFFFFFFFFFFFFFF\r\nimage", b"", id="a chunk beyond 64 bits"),
        pytest.param(CHUNKED + b"5\r\nimage\r\n", b"", id="no last chunk"),
        pytest.param(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", b"", id="a redirect to nowhere"),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", b"", id="a switch of protocols"
        ),
        pytest.param(OK + b"Content-Encoding: gzip\r\n\r\n" + BOMB, b"", id="a compressed body"),
    ],
)
async def test_an_answer_that_breaks_the_rules_is_a_failed_fetch(first: bytes, more: bytes) -> None:
    async with RawSite(first, more).serving() as site:
        assert (await rejection(site)).reason is RejectReason.FETCH_FAILED


@pytest.mark.parametrize(
    ("first", "more", "pause_s"),
    [
        pytest.param(OK, b"", 0, id="an answer that stops in its headers"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01, id="promises without end"),
        pytest.param(OK + b"Content-Length: 1000\r\n\r\n", b"x", 0.01, id="a body by single bytes"),
        pytest.param(CHUNKED + b"5;", b"x" * 100, 0.01, id="a chunk that never begins"),
        pytest.param(OK, b"X-Header: of few\r\n", 0.05, id="headers by single lines"),
    ],
)
async def test_an_answer_that_takes_its_time_is_given_up(first: bytes, more: bytes, pause_s: float) -> None:
    stalling = more or b" "  # one that says nothing more still keeps its connection open
    async with RawSite(first, stalling, pause_s or 5).serving() as site:
        fault = await rejection(site, timeout_s=0.2)
        assert fault.reason is RejectReason.FETCH_FAILED
        assert "no complete answer within 0.2 s" in fault.detail


@pytest.mark.parametrize("first", [OK + b"\r\n", OK + b"Content-Length: 100000000\r\n\r\n", OK + b"X: y\r\n\r\n"])
async def test_a_body_without_end_is_cut_at_the_limit_and_takes_no_more_memory(first: bytes) -> None:
    tracemalloc.start()
    try:
        async with RawSite(first, bytes(10_000)).serving() as site:
            assert (await rejection(site)).reason is RejectReason.TOO_MANY_BYTES
            await site.refused.wait()
        assert tracemalloc.get_traced_memory()[1] < 20 * MAX_BYTES
    finally:
        tracemalloc.stop()


async def test_the_body_of_a_redirect_is_not_read() -> None:
    first = b"HTTP/1.1 302 Found\r\nLocation: ftp://images.example/\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with RawSite(first, b"5\r\nimage\r\n" * 1000).serving() as site:
        assert (await rejection(site)).reason is RejectReason.URI_NOT_ALLOWED
        await site.refused.wait()


async def test_a_compressed_transfer_is_not_unpacked() -> None:
    async with RawSite(OK + b"Transfer-Encoding: gzip\r\n\r\n" + BOMB[:1000]).serving() as site:
        policy = FetchPolicy(allow_private_addresses=True, max_bytes=MAX_BYTES)
        async with Fetcher(policy) as fetcher:
            assert await fetcher.fetch(site.url) == BOMB[:1000]


async def test_a_rejection_repeats_little_of_what_the_server_said_and_no_signature() -> None:
    async with RawSite(b"HTTP/1.1 200 " + b"x" * 20_000).serving() as site:
        policy = FetchPolicy(allow_private_addresses=True, attempts=1)
        async with Fetcher(policy) as fetcher:
            with pytest.raises(PoisonInput) as caught:
                await fetcher.fetch(f"{site.url}?signature=secret")
    assert len(caught.value.detail) < 600
    assert "secret" not in caught.value.detail
