"""Traces over Kafka: the headers of records, and what their spans say."""

from aiokafka import ConsumerRecord
from aiokafka.structs import RecordMetadata
from opentelemetry.semconv._incubating.attributes import messaging_attributes as conventions

from shared.bus import tracing
from tests.harness.recorded import recording

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = [("traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode()), ("other", b"1")]
UNSAMPLED = [("traceparent", f"00-{TRACE}-b7ad6b7169203331-00".encode())]


def record(headers: list[tuple[str, bytes]], *, value: bytes | None = b"{}", offset: int = 7) -> ConsumerRecord:
    return ConsumerRecord(
        topic="images.uploaded",
        partition=1,
        offset=offset,
        timestamp=1_000,
        timestamp_type=0,
        key="käse".encode(),
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=headers,
    )


def test_where_tracing_is_off_a_trace_is_handed_on_as_it_came_and_no_byte_is_added() -> None:
    with tracing.sending("images.features", received=SAMPLED, lasting=True) as headers:
        assert headers == SAMPLED[:1]
    with tracing.sending("images.features", received=[]) as headers:
        assert headers == []
    with (
        tracing.processing(record(SAMPLED), group="g"),
        tracing.consuming([record(SAMPLED)], group="g", beyond=-1) as spans,
    ):
        assert spans == {}


def test_whoever_gets_the_record_finds_the_span_of_sending_it() -> None:
    with recording() as recorded:
        with tracing.sending("images.uploaded", key=b"cat", received=SAMPLED) as headers:
            tracing.sent(RecordMetadata("images.uploaded", 1, None, 7, None, None, None))
        with tracing.processing(record(headers), group="g"):
            pass
    sent, processed = recorded.one("send images.uploaded"), recorded.one("process images.uploaded")
    assert processed.parent is not None
    assert processed.parent.span_id == sent.context.span_id
    assert sent.attributes == {
        conventions.MESSAGING_SYSTEM: "kafka",
        conventions.MESSAGING_OPERATION_NAME: "send",
        conventions.MESSAGING_OPERATION_TYPE: "send",
        conventions.MESSAGING_DESTINATION_NAME: "images.uploaded",
        conventions.MESSAGING_DESTINATION_PARTITION_ID: "1",
        conventions.MESSAGING_KAFKA_OFFSET: 7,
        conventions.MESSAGING_KAFKA_MESSAGE_KEY: "cat",
    }
    assert processed.attributes == {
        conventions.MESSAGING_SYSTEM: "kafka",
        conventions.MESSAGING_OPERATION_NAME: "process",
        conventions.MESSAGING_OPERATION_TYPE: "process",
        conventions.MESSAGING_DESTINATION_NAME: "images.uploaded",
        conventions.MESSAGING_DESTINATION_PARTITION_ID: "1",
        conventions.MESSAGING_KAFKA_OFFSET: 7,
        conventions.MESSAGING_KAFKA_MESSAGE_KEY: "käse",
        conventions.MESSAGING_CONSUMER_GROUP_NAME: "g",
    }


def test_a_topic_that_keeps_its_records_has_headers_of_sampled_traces_alone() -> None:
    with recording():
        for received, lasting, count in ((SAMPLED, True, 1), (UNSAMPLED, True, 0), (UNSAMPLED, False, 1)):
            with (
                tracing.processing(record(received), group="g"),
                tracing.sending("images.features", lasting=lasting) as headers,
            ):
                assert len(headers) == count


def test_records_that_are_consumed_together_have_a_span_each_where_they_are_sampled_and_new() -> None:
    records = [record(SAMPLED, offset=offset) for offset in (0, 1)]
    records += [record(UNSAMPLED, offset=2), record([], offset=3)]
    with recording() as recorded:
        with tracing.consuming(records, group="g", beyond=0) as spans:
            assert [*spans] == [1]
            with tracing.committing("images.uploaded", [*spans.values()], group="g"):
                pass
            assert recorded.names == ["commit images.uploaded"]
        with tracing.committing("images.uploaded", [], group="g"):
            pass
    assert recorded.names == ["commit images.uploaded", "process images.uploaded"]
    attributes = recorded.one("commit images.uploaded").attributes or {}
    assert attributes[conventions.MESSAGING_OPERATION_TYPE] == "settle"


def test_a_tombstone_is_told_and_a_wait_begins_when_the_record_was_written_at_the_latest() -> None:
    with recording() as recorded, tracing.processing(record(SAMPLED, value=None), group="g"):
        tracing.waited(record(SAMPLED))
    assert (recorded.one("process images.uploaded").attributes or {})[conventions.MESSAGING_KAFKA_MESSAGE_TOMBSTONE]
    assert recorded.one("wait images.uploaded").start_time == 1_001_000_000
