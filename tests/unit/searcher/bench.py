"""A searcher's handler with what it works on: requests go in, replies are read."""

import time

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
from shared.events.search_replies import Coverage, ErrorCode, SearchReply, decode_reply
from shared.events.search_requests import SearchRequest, encode_request
from shared.events.topics import Topics
from shared.index.vectors import VectorFormat
from shared.runtime.clock import CautiousClock
from tests.fakes.engine import FakeEngine
from tests.fakes.operations import SCHEME, code
from tests.fakes.probe import no_probe
from tests.fakes.producer import FakeProducer, Produced
from tests.fakes.records import make_record
from tests.fakes.replicas import FakeReplicas

TOPICS = Topics()
REPLIES = "somebody.replies"
MAX_IN_FLIGHT = 2
BY_ID = SearchRequest(id="cat")


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
