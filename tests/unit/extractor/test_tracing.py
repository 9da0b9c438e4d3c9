"""The way of a trace through the extractor."""

from collections.abc import Iterator

import pytest
from opentelemetry.trace import format_span_id

from shared.bus.partitions import partition_of
from shared.events import headers as hdr
from shared.events.upload_forms import UploadImage
from shared.events.uploads import write_native
from tests.harness.recorded import Recorded, recording
from tests.unit.extractor.test_handler import PARTITIONS, TOPICS, TRACE, Bench, record

CAT = write_native(UploadImage(id="cat", uri="s3://shop/cat"))
NOWHERE = write_native(UploadImage(id="cat", uri="s3://shop/nowhere"))
UNSAMPLED = ("traceparent", TRACE[1][:-2] + b"00")


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    with recording() as recorded:
        yield recorded


@pytest.fixture
async def bench() -> Bench:
    return Bench()


def carried(headers: hdr.Headers) -> list[tuple[str, bytes]]:
    return hdr.traces(headers)


def names_the_span(recorded: Recorded, name: str, headers: hdr.Headers) -> bool:
    [(_, value)] = carried(headers)
    return value.decode().split("-")[2] == format_span_id(recorded.one(name).context.span_id)


async def test_a_feature_carries_the_span_of_sending_it_and_no_other(bench: Bench, recorded: Recorded) -> None:
    await bench.handler.process(record(CAT, headers=[TRACE]))
    [feature] = bench.features
    assert names_the_span(recorded, f"send {TOPICS.features}", feature.headers)
    processed, fetched = recorded.one(f"process {TOPICS.uploaded}"), recorded.one("fetch")
    assert processed.parent is not None
    assert format_span_id(processed.parent.span_id) == TRACE[1].decode().split("-")[2]
    assert fetched.parent == processed.context


async def test_a_feature_of_a_trace_that_is_not_sampled_carries_nothing(bench: Bench, recorded: Recorded) -> None:
    await bench.handler.process(record(CAT, headers=[UNSAMPLED]))
    [feature] = bench.features
    assert carried(feature.headers) == []
    assert recorded.names == []


async def test_an_event_that_is_forwarded_carries_on_its_trace(bench: Bench, recorded: Recorded) -> None:
    elsewhere = (partition_of("cat", PARTITIONS) + 1) % PARTITIONS
    await bench.handler.process(record(CAT, partition=elsewhere, headers=[TRACE]))
    [event] = bench.forwarded
    assert names_the_span(recorded, f"send {TOPICS.uploaded}", event.headers)


async def test_a_reject_keeps_the_trace_that_came_so_that_it_can_be_sent_again_as_it_was(
    bench: Bench, recorded: Recorded
) -> None:
    await bench.handler.process(record(NOWHERE, headers=[TRACE]))
    [reject] = bench.rejected
    assert carried(reject.headers) == [TRACE]
    assert recorded.one("fetch").status.is_ok is False
