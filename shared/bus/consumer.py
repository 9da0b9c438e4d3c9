"""One subscription of a worker: FastStream delivers the batches, this hands out the consumer behind it.

FastStream's own acknowledgement is not used (`AckPolicy.MANUAL`): it commits whatever was fetched on every assigned
partition. Offsets are committed here, explicitly.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaMessage

from shared.bus.broker import WorkerBroker
from shared.bus.contracts import Contract
from shared.bus.faults import bus_faults
from shared.bus.pausing import Pausing
from shared.runtime.logging import get_logger
from shared.runtime.settings import ConsumerSettings

log = get_logger(__name__)

Record: TypeAlias = ConsumerRecord  # of bytes keys and bytes values, either of which may be None
_MAX_RECORDS = 64

CONSUMER_SETTINGS: Mapping[str, Any] = MappingProxyType(
    {"max_partition_fetch_bytes": 4 * 1024 * 1024, "fetch_max_bytes": 50 * 1024 * 1024}
)
"""Chosen by `make bench-kafka`: docs/benchmarks.md has the reasons."""

_HEARTBEAT_MS = 500
"""A member hears of a rebalance at its next heartbeat, and nobody gets records until the last one has heard of it."""

Handle = Callable[[Sequence[Record]], Awaitable[None]]
Revoked = Callable[[set[int]], Awaitable[None]]


class DeliveryObserver(Protocol):
    """Hears of every batch, on the event loop. Must not block."""

    def delivered(self, records: int, size: int) -> None:
        """size: bytes of their values."""


class Subscription(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """The records of one topic, in batches, for one consumer group.

    handle: gets each batch, in order within a partition; must not raise for what a record holds. settings: how Kafka
    knows the worker again, and how long a fetch may wait. observer: of what is delivered. max_records: the most in a
    batch, which comes as soon as there is one. revoked: called when partitions go, before others can get them; what
    is complete can still be committed then, and all members wait until it returns. The next batch
    comes when `handle` returns, so that backpressure is simply to wait: for as long as it takes, the partitions stay
    assigned and are paused.
    """

    def __init__(
        self,
        broker: WorkerBroker,
        topic: str,
        *,
        group: str,
        title: str,
        handle: Handle,
        contract: Contract,
        settings: ConsumerSettings,
        observer: DeliveryObserver | None = None,
        max_records: int = _MAX_RECORDS,
        revoked: Revoked | None = None,
    ) -> None:
        self.topic = topic
        self._revoked = revoked
        self._pausing = Pausing(topic)
        self._reassigning = False
        self._assigned = False
        self._taken_ms: dict[int, int] = {}
        payload: Any = contract.annotation()

        async def deliver(records: payload) -> None:
            if self._reassigning:  # taken out just before the partitions went: whoever gets them is given it again
                return
            self._taken_ms.update((record.partition, record.timestamp) for record in records)
            if observer:
                observer.delivered(len(records), sum(len(record.value or b"") for record in records))
            try:
                await self._pausing.during(self._consumer, handle(records))
            except Exception:  # noqa: BLE001 - FastStream would drop the batch and go on
                broker.fail(f"a batch of {topic} could not be handled")

        self._subscriber = broker.subscriber(
            topic,
            group_id=group,
            batch=True,
            max_records=max_records,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            group_instance_id=settings.instance_id,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=_HEARTBEAT_MS,
            fetch_max_wait_ms=settings.fetch_wait_ms,
            max_poll_interval_ms=settings.max_poll_interval_ms,
            **CONSUMER_SETTINGS,
            parser=_leave_untouched,
            decoder=_hand_over_records,
            no_reply=True,
            listener=self,
            title=title,
            description=contract.description,
        )
        self._subscriber(deliver)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._reassigning = True
        self._assigned = False
        self._taken_ms.clear()
        if self._revoked:
            await self._revoked({part.partition for part in revoked})

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Aiokafka swallows what a listener raises: nothing that may fail is done here."""
        self._reassigning = False
        self._assigned = True
        self._pausing.assigned(self._consumer)
        log.info("partitions_assigned", topic=self.topic, partitions=sorted(part.partition for part in assigned))

    @property
    def running(self) -> bool:
        return self._subscriber.consumer is not None

    @property
    def joined(self) -> bool:
        """Whether the group has shared its partitions out, be it that none are left for this member."""
        return self.running and self._assigned

    @property
    def paused(self) -> bool:
        """Whether nothing is fetched, since the batch that was delivered last is still being handled."""
        return self._pausing.active

    def assigned(self) -> set[int]:
        """The partitions that are this consumer's; none while it is not started."""
        return {part.partition for part in self._consumer.assignment()} if self.running else set()

    async def position(self, partition: int) -> int:
        """The offset of the next record that will be delivered; -1 where the partition has gone away."""
        try:
            return int(await self._consumer.position(self._part(partition)))
        except IllegalStateError:
            return -1

    async def ends(self, partitions: Collection[int]) -> dict[int, int]:
        """The offsets that the partitions' next records will get. Asks the broker; raises BusUnavailable."""
        parts = [self._part(partition) for partition in partitions]
        with bus_faults(f"asking for the ends of partitions {sorted(partitions)} of {self.topic}"):
            return {part.partition: int(end) for part, end in (await self._consumer.end_offsets(parts)).items()}

    async def end(self, partition: int) -> int:
        """That of one partition."""
        return (await self.ends([partition]))[partition]

    def taken_ms(self, partition: int) -> int | None:
        """The timestamp of the record that was delivered last, in Unix milliseconds; None where none was."""
        return self._taken_ms.get(partition)

    def seek(self, partition: int, offset: int) -> None:
        """Have records delivered from `offset` on."""
        self._consumer.seek(self._part(partition), offset)

    async def commit(self, offsets: dict[int, int]) -> bool:
        """Commit what still belongs to this consumer. Gives False where Kafka refused: the records come again."""
        assigned = self.assigned()
        mine = {self._part(number): offset for number, offset in offsets.items() if number in assigned}
        if not mine:
            return False
        try:
            await self._consumer.commit(mine)
        except (KafkaError, IllegalStateError) as error:
            log.warning("commit_failed", topic=self.topic, error=repr(error))
            return False
        return True

    async def leave(self) -> None:
        """Leave the group, so that its other members have the partitions at once. Nothing more is delivered.

        A static member is else given its session timeout to come back, and its partitions wait for it.
        """
        if self.running:
            # aiokafka lets none but dynamic members leave, and knows no other way to say so.
            self._consumer._coordinator._group_instance_id = None  # noqa: SLF001
            await self._subscriber.stop()

    @property
    def _consumer(self) -> AIOKafkaConsumer:
        consumer: AIOKafkaConsumer | None = self._subscriber.consumer
        if consumer is None:
            raise RuntimeError(f"the subscription to {self.topic} is not started")
        return consumer

    def _part(self, partition: int) -> TopicPartition:
        return TopicPartition(self.topic, partition)


async def _hand_over_records(message: KafkaMessage) -> tuple[Record, ...]:
    """Records are decoded one by one by their handler, so that a bad one costs itself alone.

    Not a plain function, since FastStream would send each call to a thread.
    """
    records: tuple[Record, ...] = message.raw_message
    return records


async def _leave_untouched(records: tuple[Record, ...]) -> KafkaMessage:
    """Headers may be any bytes; FastStream's own parser takes them for UTF-8 and drops the batch where they are not."""
    return KafkaMessage(
        body=b"",
        headers={},
        raw_message=records,
        consumer=_Unused(),
        message_id=f"{records[0].offset}-{records[-1].offset}",
    )


class _Unused:
    """FastStream wants a consumer to acknowledge with; nothing here does."""

    async def commit(self) -> None: ...

    def seek(self, partition: TopicPartition, offset: int) -> None: ...
