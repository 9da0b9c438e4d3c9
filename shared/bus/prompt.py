"""A consumer that hands records out as soon as there are some, and lets nobody sleep meanwhile."""

from collections.abc import Callable
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from shared.bus.faults import NO_RIGHT

_LOOK_UP_MS = 1000
"""Nothing depends on it: a record ends the wait, and so does the end of the consumer."""


class PromptConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka ships no types
    """As aiokafka's, but whoever asks for records of all partitions, with a timeout, waits until there are some.

    FastStream waits for a batch for a moment, and where none came it sleeps as long again, deaf to what comes. That
    delays each record that comes alone. It also asks again for ever where Kafka gives no right to be given any, of
    which `refused` is told here.
    """

    def __init__(self, *topics: str, refused: Callable[[KafkaError], None], **options: Any) -> None:  # noqa: ANN401 - aiokafka's own
        super().__init__(*topics, **options)
        self._refused = refused

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Raises ConsumerStoppedError once the consumer is stopped, and KafkaError."""
        if partitions or not timeout_ms:
            taken: dict[TopicPartition, list[ConsumerRecord]] = await super().getmany(
                *partitions, timeout_ms=timeout_ms, max_records=max_records
            )
            return taken
        try:
            while not (found := await super().getmany(timeout_ms=_LOOK_UP_MS, max_records=max_records)):
                pass
        except NO_RIGHT as error:
            self._refused(error)
            raise
        return dict(found)


def consume_promptly(broker: KafkaBroker, refused: Callable[[KafkaError], None]) -> None:
    """Have the subscribers of a broker that is connected, and not started yet, consume so."""
    config: Any = broker.config.broker_config
    config.builder = partial(PromptConsumer, refused=refused, **config.builder.keywords)
