"""Asking the searchers: requests out, replies in, matched by their correlation ids."""

import asyncio
import time
import uuid
from contextlib import suppress

import msgspec

from shared.bus import tracing as bus_tracing
from shared.bus.consumer import Record
from shared.bus.producer import RecordProducer
from shared.client.merging import Merging
from shared.events import headers as hdr
from shared.events.search_replies import ErrorCode, SearchReply, decode_reply
from shared.events.search_requests import SearchRequest, encode_request
from shared.events.topics import Topics
from shared.runtime import tracing

_WAY_BACK_S = 0.1
"""How much earlier a searcher's deadline is than ours, so that what it says of it, such as `not_yet`, still arrives."""
_ASK_AGAIN_AFTER_S = (0.2, 0.6)


class NoAnswer(Exception):
    """Nothing came within the time given; the text says what was waited for."""


class _Search:
    """One that is under way. complete: done when no more replies are waited for."""

    def __init__(self, request: SearchRequest) -> None:
        self.replies = Merging(request)
        self.complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Searches:
    """Those of one client. max_in_flight: more of them wait their turn.

    reply_partition: of the topic for replies; whoever reads it calls `hear` with its records.
    """

    def __init__(self, producer: RecordProducer, topics: Topics, *, reply_partition: int, max_in_flight: int) -> None:
        self._producer = producer
        self._topics = topics
        self._reply_partition = reply_partition
        self._turn = asyncio.Semaphore(max_in_flight)
        self._under_way: dict[bytes, _Search] = {}

    async def ask(self, request: SearchRequest, *, timeout_s: float) -> SearchReply:
        """Raises NoAnswer, BusUnavailable. A searcher that is not ready is asked again, a few times."""
        until = asyncio.get_running_loop().time() + timeout_s
        with tracing.operation("search", "client"):
            return await self._until_ready(request, until)

    async def _until_ready(self, request: SearchRequest, until: float) -> SearchReply:
        async with self._turn:
            for pause_s in (*_ASK_AGAIN_AFTER_S, None):
                answer = await self._answer(request, until)
                not_ready = answer.error is not None and answer.error.code is ErrorCode.NOT_READY
                if not not_ready or pause_s is None or asyncio.get_running_loop().time() + pause_s >= until:
                    break
                await asyncio.sleep(pause_s)
        return answer

    async def _answer(self, request: SearchRequest, until: float) -> SearchReply:
        """until: by the loop's clock. Raises NoAnswer."""
        replies = await self._ask(request, until - asyncio.get_running_loop().time())
        answer = replies.answer()
        # Searchers that hold some of the shards alone know the ids in those, and are told what the others know.
        if (by_codes := replies.by_codes()) is not None:
            with suppress(NoAnswer):  # then what some of them have found
                answer = (await self._ask(by_codes, until - asyncio.get_running_loop().time())).answer()
        assert answer is not None  # noqa: S101 - else there was no answer
        return answer

    async def _ask(self, request: SearchRequest, timeout_s: float) -> Merging:
        """Return the replies that came, at least one."""
        correlation_id = uuid.uuid4().hex.encode()
        deadline = int((time.time() + timeout_s - min(_WAY_BACK_S, timeout_s / 5)) * 1000)
        headers = [
            (hdr.CONTENT_TYPE, hdr.MSGPACK.encode()),
            (hdr.CORRELATION_ID, correlation_id),
            *hdr.encode([(hdr.REPLY_TO, self._topics.replies), (hdr.REPLY_PARTITION, self._reply_partition)]),
            *hdr.encode([(hdr.DEADLINE, deadline)]),
        ]
        search = self._under_way[correlation_id] = _Search(request)
        try:
            async with asyncio.timeout(timeout_s):
                value = encode_request(request, hdr.MSGPACK)
                with bus_tracing.sending(self._topics.requests) as traced:
                    await self._producer.send(self._topics.requests, key=None, value=value, headers=[*headers, *traced])
                await search.complete
        except TimeoutError:
            if search.replies.answer() is None:
                raise NoAnswer(
                    f"no reply to the search within {timeout_s:.3g} s: is a searcher running? `afterimage status` tells"
                ) from None
        finally:
            del self._under_way[correlation_id]
        return search.replies

    def hear(self, record: Record) -> None:
        """Take in what was written to the partition for replies."""
        search = self._under_way.get(hdr.last(record.headers, hdr.CORRELATION_ID) or b"")
        if search is None or search.complete.done() or record.value is None:
            return
        try:
            search.replies.add(decode_reply(record.value, hdr.media_type(record.headers)))
        except msgspec.DecodeError as error:
            search.complete.set_exception(NoAnswer(f"the reply cannot be read: {error}"))
            return
        if search.replies.complete or search.replies.ask_again_at_once:
            search.complete.set_result(None)
