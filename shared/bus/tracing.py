"""Traces over Kafka: the spans of sending and of processing records, by OpenTelemetry's conventions for messaging.

https://opentelemetry.io/docs/specs/semconv/messaging/kafka/
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, TypeAlias

from aiokafka.structs import RecordMetadata

from shared.bus.consumer import Record
from shared.events import headers as hdr
from shared.runtime import tracing

if TYPE_CHECKING:
    from opentelemetry.trace import Span

Attributes: TypeAlias = dict[str, str | int | float | bool]

SYSTEM = "messaging.system"
OPERATION = "messaging.operation.name"
OPERATION_TYPE = "messaging.operation.type"
TOPIC = "messaging.destination.name"
PARTITION = "messaging.destination.partition.id"
OFFSET = "messaging.kafka.offset"
KEY = "messaging.kafka.message.key"
TOMBSTONE = "messaging.kafka.message.tombstone"
GROUP = "messaging.consumer.group.name"


def sending(
    topic: str, *, key: bytes | None = None, received: hdr.Headers = (), lasting: bool = False
) -> AbstractContextManager[list[tuple[str, bytes]]]:
    """The span of sending one record; gives the headers by which whoever gets that finds its parent in the span.

    received: the headers of the record that this one comes of: where tracing is off, the trace in them is handed on.
    lasting: the topic keeps its records for good, so that one that is not sampled has no headers.
    """
    if not tracing.active():
        return nullcontext(hdr.traces(received))
    return _sending(topic, key, lasting=lasting)


@contextmanager
def _sending(topic: str, key: bytes | None, *, lasting: bool) -> Iterator[list[tuple[str, bytes]]]:
    with tracing.operation(f"send {topic}", "producer", _attributes("send", topic, key)):
        yield [] if lasting and tracing.current() is None else tracing.headers()


def sent(stands: RecordMetadata) -> None:
    """Tell the span of sending where the record stands."""
    if tracing.active():
        tracing.note({PARTITION: str(stands.partition), OFFSET: stands.offset})


def processing(record: Record, *, group: str) -> AbstractContextManager[object]:
    """The span of dealing with a record: in the trace that its headers name, else the first of a new one."""
    if not tracing.active():
        return tracing.NOTHING
    attributes = _processed(record, group)
    return tracing.operation(f"process {record.topic}", "consumer", attributes, received=record.headers)


def waited(record: Record) -> None:
    """Record how long a request has waited for somebody to take it. The time of a record is cut to a millisecond."""
    if tracing.active():
        tracing.elapsed(f"wait {record.topic}", received=record.headers, began_ns=(record.timestamp + 1) * 1_000_000)


@contextmanager
def consuming(records: Sequence[Record], *, group: str, beyond: int) -> "Iterator[dict[int, Span]]":
    """The spans of dealing with several records of one partition at once: offset → span, for those that are sampled.

    beyond: the offset up to which they were dealt with before, and come again.
    """
    spans: dict[int, Span] = {}
    if tracing.active():
        for record in (each for each in records if each.offset > beyond):
            span = tracing.started(f"process {record.topic}", "consumer", record.headers, _processed(record, group))
            if span is not None:
                spans[record.offset] = span
    try:
        yield spans
    finally:
        for span in spans.values():
            span.end()


def committing(topic: str, spans: "Sequence[Span]", *, group: str) -> AbstractContextManager[object]:
    """The span of committing what was consumed together."""
    if not spans:
        return tracing.NOTHING
    attributes = _attributes("commit", topic, None) | {OPERATION_TYPE: "settle", GROUP: group}
    return tracing.batch(f"commit {topic}", spans, attributes, kind="client")


def _processed(record: Record, group: str) -> Attributes:
    attributes = _attributes("process", record.topic, record.key)
    attributes |= {PARTITION: str(record.partition), OFFSET: record.offset, GROUP: group}
    if record.value is None:
        attributes[TOMBSTONE] = True
    return attributes


def _attributes(operation: str, topic: str, key: bytes | None) -> Attributes:
    attributes: Attributes = {SYSTEM: "kafka", OPERATION: operation, OPERATION_TYPE: operation, TOPIC: topic}
    if key:
        attributes[KEY] = key.decode(errors="replace")
    return attributes
