"""A producer that keeps what it is given."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.structs import RecordMetadata, TopicPartition

from shared.bus.faults import BusRefused
from shared.bus.producer import MAX_RECORD_BYTES, RecordTooLarge, Undeliverable


@dataclass(frozen=True, slots=True)
class Produced:
    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    partition: int | None = None
    timestamp_ms: int | None = None

    def header(self, name: str) -> bytes | None:
        return next((value for key, value in reversed(self.headers) if key == name), None)

    @property
    def size(self) -> int:
        """Bytes, without the few that frame them."""
        headers = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers


class FakeProducer:
    """Takes the place of a RecordProducer. unreachable: topics that nobody reads."""

    def __init__(self, *, unreachable: Sequence[str] = ()) -> None:
        self.sent: list[Produced] = []
        self.forbidden: set[str] = set()
        """Topics that it has no right to write to."""
        self._unreachable = frozenset(unreachable)

    def to(self, topic: str) -> list[Produced]:
        return [record for record in self.sent if record.topic == topic]

    async def send_until_acknowledged(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> RecordMetadata:
        """It stands on partition 0 where nobody named another."""
        if topic in self.forbidden:
            raise BusRefused(f"writing to {topic}: no right")
        self._keep(Produced(topic, key, value, tuple(headers), partition, timestamp_ms))
        stands = TopicPartition(topic, partition or 0)
        return RecordMetadata(topic, stands.partition, stands, len(self.to(topic)) - 1, timestamp_ms, 0, 0)

    async def send_within(
        self,
        within_s: float,
        topic: str,
        *,
        value: bytes,
        headers: Sequence[tuple[str, bytes]],
        partition: int | None,
        key: bytes | None = None,
    ) -> None:
        if topic in self._unreachable:
            raise Undeliverable(f"{topic}: there is none")
        self._keep(Produced(topic, key, value, tuple(headers), partition))

    def _keep(self, record: Produced) -> None:
        if record.size > MAX_RECORD_BYTES:
            raise RecordTooLarge(f"the record for {record.topic} has {record.size} bytes")
        self.sent.append(record)
