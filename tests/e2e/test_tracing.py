"""Traces, as a collector gets them from real workers: whole, from upload to searchable, from request to reply."""

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from services.extractor.metrics import ExtractorMetrics  # noqa: F401 - torch before the index's library
from shared.client import AfterimageClient, UploadRejected
from shared.events.topics import Topics
from shared.runtime.tracing.exporting import exporting
from tests.harness.kafka import Broker
from tests.harness.otlp import Collector, ReceivedSpan
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import Service

TOPICS = Topics("traces")
pytestmark = [pytest.mark.slow, pytest.mark.durable]

UPLOADS = 300
SEARCHES = 200
OVER_HTTP = 40
"""Uploads, and searches, that go through the gateway."""
SEARCHERS = 2
WHOLE = 0.99
CALLER = "c" * 16
"""The span of whoever calls the gateway."""

WAY_OF_AN_IMAGE = (
    f"send {TOPICS.uploaded}",
    f"process {TOPICS.uploaded}",
    "decode",
    "encode",
    f"send {TOPICS.features}",
    f"process {TOPICS.features}",
    "apply",
)
WAY_OF_A_QUERY = (
    "search",
    f"send {TOPICS.requests}",
    f"wait {TOPICS.requests}",
    f"process {TOPICS.requests}",
    "decode",
    "encode",
    "search",
    f"send {TOPICS.replies}",
)
BATCHES = {
    "encode batch": "encode",
    "append": f"process {TOPICS.features}",
    f"commit {TOPICS.features}": f"process {TOPICS.features}",
    "report": f"process {TOPICS.features}",
    "search batch": "search",
}
"""What is done to many at once, and the spans that it is linked to."""


@dataclass(slots=True)
class Seen:
    """What the traffic left: the spans, and the lines of the workers' logs."""

    spans: Sequence[ReceivedSpan] = ()
    extractor_log: Sequence[Mapping[str, object]] = ()
    uploads: list[str] = field(default_factory=list)
    """Ids."""
    http_traces: list[str] = field(default_factory=list)
    """Those that callers of the gateway had begun."""
    answered: list[str] = field(default_factory=list)
    """What the gateway answered with, as `traceparent`."""

    def traces(self) -> Mapping[str, list[ReceivedSpan]]:
        traces: dict[str, list[ReceivedSpan]] = defaultdict(list)
        for span in self.spans:
            traces[span.trace].append(span)
        return traces


@pytest.fixture(scope="module")
def seen(
    kafka: Broker,
    redis_server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Seen:
    """Some hundred uploads and searches, by two ways, and one image that is none; then all workers have stopped."""
    seen, folder = Seen(), tmp_path_factory.mktemp("tracing")
    with Collector() as collector:
        with ExitStack() as running:
            service = running.enter_context(
                Service(
                    bootstrap_servers=kafka.bootstrap_servers,
                    redis_url=redis_server.url,
                    namespace=TOPICS.namespace,
                    folder=folder,
                    searchers=SEARCHERS,
                    env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "AFTERIMAGE_LOG_FORMAT": "json"},
                )
            )
            gateway = running.enter_context(service.worker("gateway", "gateway"))
            running.enter_context(exporting(collector.url, service="client"))
            asyncio.run(_traffic(service, gateway.url, seen))
        seen.spans = collector.spans
    seen.extractor_log = _lines(folder / "extractor.log")
    return seen


async def _traffic(service: Service, gateway_url: str, seen: Seen) -> None:
    turn = asyncio.Semaphore(48)
    pictures = list(small_pictures(UPLOADS))
    async with (
        AfterimageClient(service.bootstrap_servers, namespace=service.namespace) as client,
        httpx.AsyncClient(base_url=gateway_url, timeout=60) as http,
    ):

        async def upload(number: int) -> None:
            async with turn:
                image_id = f"image-{number}"
                if number < OVER_HTTP:
                    await _over_http(http, seen, "/images?wait=30", pictures[number], {"id": image_id})
                else:
                    await client.wait_searchable(await client.upload(image_id, data=pictures[number]), timeout_s=60)
                seen.uploads.append(image_id)

        async def search(number: int) -> None:
            async with turn:
                picture = pictures[number % UPLOADS]
                if number < OVER_HTTP:
                    await _over_http(http, seen, "/search", picture, {})
                else:
                    reply = await client.search(image=picture, timeout_s=60)
                    assert reply.error is None

        async with asyncio.TaskGroup() as tasks:
            for number in range(UPLOADS):
                tasks.create_task(upload(number))
        async with asyncio.TaskGroup() as tasks:
            for number in range(SEARCHES):
                tasks.create_task(search(number))
        with pytest.raises(UploadRejected):
            await client.wait_searchable(await client.upload("none", data=b"no image"), timeout_s=60)


async def _over_http(http: httpx.AsyncClient, seen: Seen, path: str, picture: bytes, form: dict[str, str]) -> None:
    trace = secrets.token_hex(16)
    answer = await http.post(
        path, files={"image": picture}, data=form, headers={"traceparent": f"00-{trace}-{CALLER}-01"}
    )
    assert answer.status_code == 200, answer.text
    seen.http_traces.append(trace)
    seen.answered.append(answer.headers["traceparent"])


def _lines(log: Path) -> Sequence[Mapping[str, object]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]


def whole(trace: Sequence[ReceivedSpan], way: Sequence[str]) -> bool:
    """Whether every stage is there, in this order, and every parent, which has begun before."""
    by_id = {span.id: span for span in trace}
    for span in trace:
        if span.ends_ns < span.begins_ns:
            return False
        if span.parent in (None, CALLER):
            continue
        parent = by_id.get(span.parent)
        if parent is None or span.begins_ns < parent.begins_ns:
            return False
    times = sorted((span.begins_ns, span.name) for span in trace)
    names = iter(name for _, name in times)
    return all(stage in names for stage in way)


def test_uploads_leave_whole_traces_that_end_where_every_searcher_can_find_the_image(seen: Seen) -> None:
    uploads = [
        trace
        for trace in seen.traces().values()
        if any(
            span.name == f"send {TOPICS.uploaded}"
            and span.attributes.get("messaging.kafka.message.key") in seen.uploads
            for span in trace
        )
    ]
    assert len(uploads) == len(seen.uploads) == UPLOADS
    good = [
        trace
        for trace in uploads
        if whole(trace, WAY_OF_AN_IMAGE) and sum(span.name == "apply" for span in trace) == SEARCHERS
    ]
    assert len(good) >= WHOLE * UPLOADS


def test_searches_leave_whole_traces_from_the_request_to_the_reply(seen: Seen) -> None:
    searches = [
        trace for trace in seen.traces().values() if any(span.name == f"send {TOPICS.requests}" for span in trace)
    ]
    assert len(searches) == SEARCHES
    good = [trace for trace in searches if whole(trace, WAY_OF_A_QUERY)]
    assert len(good) >= WHOLE * SEARCHES
    for trace in good:
        ends = {span.name: span.ends_ns for span in trace if span.kind == "client"}
        assert ends["search"] == max(
            span.ends_ns for span in trace if span.service == "client" or span.kind == "client"
        )


def test_the_gateway_goes_on_with_the_trace_of_its_caller_and_answers_with_it(seen: Seen) -> None:
    assert len(seen.http_traces) == 2 * OVER_HTTP
    assert [parent.split("-")[1] for parent in seen.answered] == seen.http_traces
    spans = {span.key: span for span in seen.spans}
    for answered in seen.answered:
        _, trace, span_id, flags = answered.split("-")
        span = spans[trace, span_id]
        assert (span.service, span.kind, span.parent, flags) == ("afterimage-gateway", "server", CALLER, "01")
        assert span.name in {"POST /images", "POST /search"}
        assert span.attributes["http.response.status_code"] == 200


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_is_linked_to_the_span_of_each_image_or_query_in_it_and_they_to_it(seen: Seen, name: str) -> None:
    spans = {span.key: span for span in seen.spans}
    batches = [span for span in seen.spans if span.name == name]
    linked = [link for batch in batches for link in batch.links]
    assert max(len(batch.links) for batch in batches) > 1
    for batch in batches:
        assert len(batch.links) == batch.attributes["messaging.batch.message_count"]
        for link in batch.links:
            assert spans[link].name == BATCHES[name]
            assert batch.key in spans[link].links
            assert spans[link].begins_ns <= batch.begins_ns
            assert batch.ends_ns <= spans[link].ends_ns
    assert len(linked) == len(set(linked))


def test_spans_of_messages_say_where_their_record_stands_as_conventions_have_it(seen: Seen) -> None:
    for span in seen.spans:
        if span.name in {f"send {TOPICS.uploaded}", f"process {TOPICS.uploaded}", f"process {TOPICS.features}"}:
            operation, topic = span.name.split()
            assert span.attributes["messaging.system"] == "kafka"
            assert span.attributes["messaging.operation.name"] == operation
            assert span.attributes["messaging.destination.name"] == topic
            assert span.attributes["messaging.destination.partition.id"] in {"0", "1"}
            assert isinstance(span.attributes["messaging.kafka.offset"], int)
            assert span.kind == {"send": "producer", "process": "consumer"}[operation]


def test_the_log_line_about_a_rejected_image_names_its_trace_and_its_position(seen: Seen) -> None:
    [line] = [line for line in seen.extractor_log if line["event"] == "upload_rejected"]
    [span] = [
        span
        for span in seen.spans
        if span.name == f"process {TOPICS.uploaded}" and span.attributes["messaging.kafka.message.key"] == "none"
    ]
    assert (line["trace_id"], line["span_id"]) == span.key
    assert line["topic"] == TOPICS.uploaded
    assert line["offset"] == span.attributes["messaging.kafka.offset"]
    assert str(line["partition"]) == span.attributes["messaging.destination.partition.id"]
