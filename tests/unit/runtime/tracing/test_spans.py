"""What is recorded, and that nothing is where nobody asked for it."""

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace import Span

from shared.runtime import tracing
from shared.runtime.logging import configure_logging, get_logger, position
from tests.harness.recorded import Recorded, recording

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = [("traceparent", f"00-{TRACE}-{PARENT}-01".encode())]
UNSAMPLED = [("traceparent", f"00-{TRACE}-{PARENT}-00".encode())]

LOADED = """
import sys
import torch
import services.extractor.app, services.indexer.app, services.searcher.app, services.gateway.app
from shared.runtime.worker import run_worker
print(*sorted(name for name in sys.modules if name.startswith(("opentelemetry.sdk.trace", "opentelemetry.exporter",
      "opentelemetry.proto", "google.protobuf", "shared.runtime.tracing"))))
"""


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    with recording() as recorded:
        yield recorded


def test_workers_that_do_not_trace_load_nothing_that_would() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True).stdout.split()
    ours = [f"shared.runtime.tracing{module}" for module in ("", ".metrics", ".process", ".spans")]
    assert loaded == ours


def test_where_tracing_is_off_every_call_does_nothing() -> None:
    with tracing.operation("a", "producer"), tracing.stage("b"), tracing.batch("c", [None]):
        assert tracing.headers() == []
        assert tracing.current() is None
        assert tracing.ids() is None
        tracing.note({"key": "value"})
    with tracing.completing("d", [b"1" * 24]):
        tracing.elapsed("e", received=SAMPLED, began_ns=1)
    assert tracing.started("f", "consumer", SAMPLED, {}) is None
    assert tracing.provider() is None
    assert not tracing.active()


def test_an_operation_goes_on_with_the_trace_that_the_last_header_names(recorded: Recorded) -> None:
    stale = ("traceparent", f"00-{'1' * 32}-{'2' * 16}-01".encode())
    with tracing.operation("process", "consumer", received=[stale, *SAMPLED]):
        assert tracing.ids() == (TRACE, f"{recorded_id():016x}")
    span = recorded.one("process")
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == PARENT


@pytest.mark.parametrize("value", [b"", b"00-zz-1-01", b"\xff\xfe", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"])
def test_an_operation_begins_a_trace_where_the_header_names_none(recorded: Recorded, value: bytes) -> None:
    with (
        tracing.operation("other", "client"),
        tracing.operation("process", "consumer", received=[("traceparent", value)]),
    ):
        pass
    assert recorded.one("process").parent is None


@given(st.lists(st.tuples(st.sampled_from(["traceparent", "tracestate", "other"]), st.none() | st.binary())))
def test_headers_of_any_bytes_do_no_harm(headers: list[tuple[str, bytes]]) -> None:
    with recording() as recorded:
        with tracing.operation("process", "consumer", received=headers):
            tracing.elapsed("wait", received=headers, began_ns=1)
        tracing.started("process", "consumer", headers, {})
    assert recorded.names == ["process"]


def test_a_stage_is_never_the_first_of_a_trace_nor_within_one_that_is_not_sampled(recorded: Recorded) -> None:
    with tracing.stage("alone"):
        pass
    with tracing.operation("process", "consumer", received=UNSAMPLED), tracing.stage("unsampled"):
        pass
    with tracing.operation("process", "consumer", received=SAMPLED), tracing.stage("fetch"):
        pass
    assert recorded.names == ["fetch", "process"]


def test_what_is_apart_has_a_trace_of_its_own_and_a_link_to_what_caused_it(recorded: Recorded) -> None:
    with tracing.operation("request", "consumer"):
        with tracing.apart(), tracing.operation("send", "producer"), tracing.operation("within", "client"):
            pass
        with tracing.operation("send too", "producer"):
            pass
    request, sent, within = (recorded.one(name) for name in ("request", "send", "within"))
    assert sent.parent is None
    assert sent.context.trace_id != request.context.trace_id
    assert [link.context for link in sent.links] == [request.context]
    assert within.parent == sent.context
    assert list(within.links) == []
    assert recorded.one("send too").parent == request.context


def test_headers_carry_on_that_a_trace_is_not_sampled(recorded: Recorded) -> None:
    with tracing.operation("send", "producer", received=UNSAMPLED):
        [(name, value)] = tracing.headers()
    assert name == "traceparent"
    assert value.startswith(f"00-{TRACE}-".encode())
    assert value.endswith(b"-00")


def test_a_batch_and_all_that_is_sampled_in_it_are_linked_both_ways(recorded: Recorded) -> None:
    first, second = (started(f"image {number}") for number in range(2))
    with tracing.batch("encode", [None, first, second]):
        pass
    first.end()
    second.end()
    batch, images = recorded.one("encode"), [recorded.one(f"image {number}") for number in range(2)]
    assert batch.parent == images[0].get_span_context()
    assert [link.context for link in batch.links] == [image.get_span_context() for image in images]
    assert [image.links[0].context for image in images] == [batch.get_span_context()] * 2
    assert batch.attributes == {"messaging.batch.message_count": 3}


def test_a_batch_of_nothing_that_is_sampled_is_not_recorded(recorded: Recorded) -> None:
    with tracing.batch("encode", [None, None]), tracing.batch("append", []):
        pass
    assert recorded.names == []


def test_a_span_is_started_for_what_is_sampled_alone(recorded: Recorded) -> None:
    assert tracing.started("process", "consumer", UNSAMPLED, {}) is None
    assert tracing.started("process", "consumer", [], {}) is None
    started("process").end()
    assert recorded.names == ["process"]


def test_a_packed_span_is_found_again_as_the_parent_of_the_last_one(recorded: Recorded) -> None:
    image = started("process")
    with tracing.completing("apply", [tracing.packed(image), b"of another release"], {"shard": 3}):
        image.end()
    last, parent = recorded.one("apply"), recorded.one("process")
    assert last.parent is not None
    assert (last.parent.trace_id, last.parent.span_id) == (parent.context.trace_id, parent.context.span_id)
    assert last.attributes == {"shard": 3}


def test_what_is_over_is_recorded_with_the_time_when_it_began(recorded: Recorded) -> None:
    tracing.elapsed("wait", received=SAMPLED, began_ns=1_000)
    tracing.elapsed("wait without a trace", received=[], began_ns=1_000)
    assert recorded.names == ["wait"]
    assert recorded.one("wait").start_time == 1_000


def test_nothing_is_recorded_that_the_sampler_leaves_out() -> None:
    with (
        recording(ParentBased(ALWAYS_OFF)) as recorded,
        tracing.operation("send", "producer"),
        tracing.stage("encode"),
    ):
        assert tracing.current() is None
    assert recorded.names == []


def test_a_line_of_the_log_tells_the_trace_and_the_position_that_it_is_about(
    recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        configure_logging(log_format="json")
        token = position.set(("images.uploaded", 3, 77))
        with tracing.operation("process", "consumer", received=SAMPLED):
            get_logger("test").info("upload_rejected", reason="no image")
            logging.getLogger("a library").warning("odd")
        position.reset(token)
        get_logger("test").info("elsewhere")
    finally:
        root.handlers, root.level = handlers, level
    about, library, elsewhere = capsys.readouterr().err.splitlines()
    for line in (about, library):
        assert f'"trace_id": "{TRACE}"' in line
        assert '"topic": "images.uploaded", "partition": 3, "offset": 77' in line
    assert "trace_id" not in elsewhere
    assert "offset" not in elsewhere


def started(name: str) -> Span:
    span = tracing.started(name, "consumer", SAMPLED, {})
    assert span is not None
    return span


def recorded_id() -> int:
    span = tracing.current()
    assert span is not None
    return span.get_span_context().span_id
