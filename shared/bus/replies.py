"""Request and reply: where an answer goes, by our headers or by Spring's ReplyingKafkaTemplate's."""

from dataclasses import dataclass

from shared.events import headers as hdr
from shared.events.topics import Topics

_CORRELATIONS = (hdr.CORRELATION_ID, hdr.SPRING_CORRELATION_ID)


@dataclass(frozen=True, slots=True)
class ReplyAddress:
    """The topic, perhaps the partition, and the headers by which the caller knows its answer.

    traces: the headers of the request that carry its trace.
    """

    topic: str
    partition: int | None
    headers: tuple[tuple[str, bytes], ...]
    traces: tuple[tuple[str, bytes], ...] = ()

    @property
    def key(self) -> bytes | None:
        """By the same correlation id, all replies to a request come to one partition, where the request names none."""
        return next((value for name, value in self.headers if name in _CORRELATIONS), None)


def reply_address(headers: hdr.Headers, topics: Topics) -> ReplyAddress | None:
    """Where the answer to a request goes; None where the request names no topic, or one that is not for replies.

    A caller's headers must not make a searcher write into the pipeline's own topics, or into Kafka's.
    """
    topic = hdr.text(headers, hdr.REPLY_TO) or hdr.text(headers, hdr.SPRING_REPLY_TOPIC)
    if not topic or topic in topics.pipeline() or topic.startswith("__"):
        return None
    echoed = [(name, value) for name in _CORRELATIONS if (value := hdr.last(headers, name)) is not None]
    return ReplyAddress(topic, _partition(headers), tuple(echoed), tuple(hdr.traces(headers)))


def _partition(headers: hdr.Headers) -> int | None:
    number = hdr.integer(headers, hdr.REPLY_PARTITION)
    spring = hdr.last(headers, hdr.SPRING_REPLY_PARTITION)
    if number is None and spring is not None and len(spring) == 4:
        number = int.from_bytes(spring, "big", signed=True)
    return number if number is not None and number >= 0 else None


def deadline_ms(headers: hdr.Headers, *, sent_ms: int, timeout_ms: int) -> int:
    """When the caller stops waiting, in Unix milliseconds: what its header says, else `timeout_ms` after sending."""
    named = hdr.integer(headers, hdr.DEADLINE)
    return sent_ms + timeout_ms if named is None else named
