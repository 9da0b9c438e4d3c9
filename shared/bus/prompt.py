"""A consumer that hands records out as soon as there are some, and lets nobody sleep meanwhile."""

from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from faststream.kafka import KafkaBroker

_LOOK_UP_MS = 1000
"""Nothing depends on it: a record ends the wait, and so does the end of the consumer."""


class PromptConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka ships no types
    """As aiokafka's, but whoever asks for records of all partitions, with a timeout, waits until there are some.

    FastStream waits for a batch for a moment, and where none came it sleeps as long again, deaf to what comes. That
    delays each record that comes alone.
    """

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Raises ConsumerStoppedError once the consumer is stopped, and KafkaError."""
        if partitions or not timeout_ms:
            taken: dict[TopicPartition, list[ConsumerRecord]] = await super().getmany(
                *partitions, timeout_ms=timeout_ms, max_records=max_records
            )
            return taken
        while not (found := await super().getmany(timeout_ms=_LOOK_UP_MS, max_records=max_records)):
            pass
        return dict(found)


def consume_promptly(broker: KafkaBroker) -> None:
    """Have the subscribers of a broker that is connected, and not started yet, consume so."""
    config: Any = broker.config.broker_config
    config.builder = partial(PromptConsumer, **config.builder.keywords)
