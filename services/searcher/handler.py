"""What the searcher does with one request: an answer or an error, before its deadline, and never silence."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, UnsetType

from services.searcher.admission import Admission, Overloaded
from services.searcher.metrics import SearcherMetrics
from services.searcher.query import AnswerQuery
from services.searcher.stopwatch import Stopwatch
from services.searcher.unanswerable import Unanswerable
from shared.bus import tracing
from shared.bus.consumer import Record
from shared.bus.producer import MAX_RECORD_BYTES, RecordProducer, Undeliverable
from shared.bus.replies import ReplyAddress, deadline_ms, reply_address
from shared.events import headers as hdr
from shared.events.search_replies import Coverage, ErrorCode, SearchFailure, SearchReply, encode_reply
from shared.events.search_requests import QUERY_FIELDS, BadRequest, SearchRequest, decode_request
from shared.events.topics import Topics
from shared.runtime.logging import get_logger

log = get_logger(__name__)

REPLY_WITHIN_S = 5.0
_LONGEST_S = 600.0
"""However far its deadline lies, a query does not hold its place for longer."""
_MAX_REPLY_BYTES = MAX_RECORD_BYTES - 16 * 1024
"""Leaves room for the headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPolicy:
    """max_in_flight: queries answered at once. timeout_ms: for a query that names no deadline."""

    max_in_flight: int
    timeout_ms: int


class AnswerRequests:
    """Answers each request on the topic that it names. `process` returns when the reply is sent, or given up.

    group: that the requests are consumed in. clock: Unix seconds; rather too early than too late, for whose deadline
    has passed by it is not answered.
    """

    def __init__(
        self,
        *,
        topics: Topics,
        group: str,
        query: AnswerQuery,
        producer: RecordProducer,
        metrics: SearcherMetrics,
        policy: AnswerPolicy,
        searcher: str,
        clock: Callable[[], float],
        coverage: Coverage | UnsetType = UNSET,
    ) -> None:
        self._topics = topics
        self._group = group
        self._query = query
        self._producer = producer
        self._metrics = metrics
        self._policy = policy
        self._searcher = searcher
        self._coverage = coverage
        self._clock = clock
        self._admission = Admission(policy.max_in_flight, clock=time.monotonic)
        self._stop_at = math.inf
        """By the clock of the loop."""

    def hurry(self, within_s: float) -> None:
        """Have everything answered within this time, by an error where it must be: the searcher is about to stop."""
        self._stop_at = asyncio.get_running_loop().time() + within_s
        for limit in self._admission:
            if not limit.expired():
                limit.reschedule(min(limit.when() or self._stop_at, self._stop_at))

    async def process(self, record: Record) -> None:
        with tracing.processing(record, group=self._group):
            tracing.waited(record)
            await self._process(record)

    async def _process(self, record: Record) -> None:
        address = reply_address(record.headers, self._topics)
        if address is None:
            log.info("request_without_reply_topic", offset=record.offset)
            self._metrics.queries.labels("unknown", "no_reply_topic").inc()
            return
        queue_s = max(0.0, self._clock() - record.timestamp / 1000)
        self._metrics.stage("queue", queue_s)
        kind, outcome = await self._respond(record, address, queue_s)
        self._metrics.queries.labels(kind, outcome).inc()
        self._metrics.query_seconds.observe(max(0.0, self._clock() - record.timestamp / 1000))

    async def _respond(self, record: Record, address: ReplyAddress, queue_s: float) -> tuple[str, str]:
        """Answer; returns the kind of the query and its outcome, for the metrics."""
        content_type = hdr.media_type(record.headers)
        try:
            self._admission.check(math.inf)  # before it is read, which takes longer than to turn it away
            request = decode_request(record.value, content_type)
        except Overloaded as error:
            if self._left_s(record, self._policy.timeout_ms) <= 0:
                return "unknown", "expired"
            return "unknown", await self._send(address, self._failure(ErrorCode.OVERLOADED, str(error)), content_type)
        except BadRequest as error:
            reply = self._failure(ErrorCode.BAD_REQUEST, str(error))
            return "unknown", await self._send(address, reply, content_type)
        left_s = self._left_s(record, request.timeout_ms or self._policy.timeout_ms)
        if left_s <= 0:
            return _kind(request), "expired"
        if request.batch is None:
            reply = await self._timed(request, left_s, queue_s)
        else:
            replies = await asyncio.gather(*(self._timed(each, left_s, queue_s) for each in request.batch))
            reply = SearchReply(batch=replies, searcher=self._searcher, coverage=self._coverage)
            for each, answer in zip(request.batch, replies, strict=True):
                self._metrics.batched.labels(_kind(each), _outcome(answer)).inc()
        return _kind(request), await self._send(address, reply, content_type)

    def _left_s(self, record: Record, timeout_ms: int) -> float:
        """How long somebody waits for the answer from now on. timeout_ms: where its headers name no deadline."""
        deadline = deadline_ms(record.headers, sent_ms=record.timestamp, timeout_ms=timeout_ms)
        return min(deadline / 1000 - self._clock(), _LONGEST_S)

    async def _timed(self, request: SearchRequest, left_s: float, queue_s: float) -> SearchReply:
        watch = Stopwatch()
        reply = await self._answer(request, watch, left_s)
        for stage, seconds in watch.seconds.items():
            self._metrics.stage(stage, seconds)
        return msgspec.structs.replace(reply, timings=watch.timings(queue_s), coverage=self._coverage)

    async def _answer(self, request: SearchRequest, watch: Stopwatch, left_s: float) -> SearchReply:
        loop = asyncio.get_running_loop()
        try:
            self._admission.check(left_s)
            async with asyncio.timeout_at(min(loop.time() + left_s, self._stop_at)) as limit:
                with self._admission.under_way(limit, patient=bool(request.min_position)):
                    return await self._query.answer(request, watch)
        except Overloaded as error:
            return self._failure(ErrorCode.OVERLOADED, str(error))
        except Unanswerable as error:
            return msgspec.structs.replace(self._failure(error.code, error.message), codes=error.codes)
        except TimeoutError:
            if loop.time() >= self._stop_at:
                return self._failure(
                    ErrorCode.NOT_READY, "the searcher was stopped before it had the answer: ask again"
                )
            late = self._failure(ErrorCode.NOT_YET, "the deadline came before the answer")
            return msgspec.structs.replace(late, positions=self._query.positions)
        except Exception:  # a query that breaks something would break every searcher that it is delivered to
            log.exception("query_failed", kind=_kind(request))
            return self._failure(ErrorCode.INTERNAL, "the searcher failed on this request; its log says how")

    def _failure(self, code: ErrorCode, message: str) -> SearchReply:
        failure = SearchFailure(code=code, message=message)
        return SearchReply(error=failure, searcher=self._searcher, coverage=self._coverage)

    async def _send(self, address: ReplyAddress, reply: SearchReply, content_type: str) -> str:
        encoding = hdr.MSGPACK if content_type == hdr.MSGPACK else hdr.JSON
        value = encode_reply(reply, encoding)
        if len(value) > _MAX_REPLY_BYTES:
            problem = (
                f"the hits take {len(value)} bytes, more than a record holds: ask for fewer with 'top_k', or for fewer "
                "'attributes'"
            )
            reply = self._failure(ErrorCode.BAD_REQUEST, problem)
            value = encode_reply(reply, encoding)
        try:
            began = time.perf_counter()
            with tracing.sending(address.topic, received=address.traces) as traced:
                await self._producer.send_within(
                    REPLY_WITHIN_S,
                    address.topic,
                    key=address.key,
                    value=value,
                    partition=address.partition,
                    headers=[(hdr.CONTENT_TYPE, encoding.encode()), *address.headers, *traced],
                )
            self._metrics.stage("reply", time.perf_counter() - began)
        except Undeliverable as error:
            log.warning("reply_failed", topic=address.topic, partition=address.partition, error=str(error))
            return "reply_failed"
        return _outcome(reply)


def _outcome(reply: SearchReply) -> str:
    return reply.error.code.value if reply.error else "ok"


def _kind(request: SearchRequest) -> str:
    return next(name for name in QUERY_FIELDS if getattr(request, name) is not None)
