"""Record headers: their names, and reading them without trusting them."""

import re
from collections.abc import Iterable, Sequence

Headers = Sequence[tuple[str, bytes]]
"""As Kafka's clients hand them over. A null value, which Kafka allows, counts as a missing header."""

CONTENT_TYPE = "content-type"
CORRELATION_ID = "correlation_id"
REPLY_TO = "reply_to"
REPLY_PARTITION = "reply_partition"
DEADLINE = "deadline"
"""Unix time in milliseconds, as decimal text, after which nobody waits for the reply."""

TRACE_HEADERS = ("traceparent", "tracestate")

SOURCE_PARTITION = "afterimage-source-partition"
SOURCE_OFFSET = "afterimage-source-offset"

SPRING_REPLY_TOPIC = "kafka_replyTopic"
SPRING_CORRELATION_ID = "kafka_correlationId"
SPRING_REPLY_PARTITION = "kafka_replyPartition"
"""Big-endian, four bytes, as Spring's ReplyingKafkaTemplate writes it."""

JSON = "application/json"
MSGPACK = "application/msgpack"
OCTETS = "application/octet-stream"


_DECIMAL = re.compile(r"-?[0-9]{1,19}")


def last(headers: Headers, name: str) -> bytes | None:
    """The value of the last header of that name, as Kafka's own clients read it; None where there is none."""
    for key, value in reversed(headers):
        if key == name:
            return value
    return None


def text(headers: Headers, name: str) -> str | None:
    """The header as text; None where it is missing or is not UTF-8."""
    value = last(headers, name)
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def integer(headers: Headers, name: str) -> int | None:
    """The header as a whole number of 64 bits in decimal; None where it is missing or is none."""
    value = text(headers, name)
    if value is None or not _DECIMAL.fullmatch(value):
        return None
    number = int(value)
    return number if -(2**63) <= number < 2**63 else None


def media_type(headers: Headers) -> str:
    """The content type without its parameters, in lower case; empty where there is none."""
    return (text(headers, CONTENT_TYPE) or "").split(";", 1)[0].strip().lower()


def traces(headers: Headers) -> list[tuple[str, bytes]]:
    """The headers that carry a trace, to be handed on with whatever this record causes."""
    return [(key, value) for key, value in headers if key in TRACE_HEADERS]


def encode(pairs: Iterable[tuple[str, str | int]]) -> list[tuple[str, bytes]]:
    return [(key, str(value).encode(errors="backslashreplace")) for key, value in pairs]
