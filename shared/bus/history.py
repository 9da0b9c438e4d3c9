"""Reading a shard's partition of `images.features` from any offset: what is rebuilt from, when all else is lost."""

from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.bus.consumer import Record
from shared.events.features import UnreadableFeature, read_operation
from shared.events.operations import Operation, OperationBatch, make_batch
from shared.replication.replica import HistoryUnavailable
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_BATCH_RECORDS = 2000
_POLL_MS = 500


class FeatureHistory:
    """Implements replication's History over Kafka. Each reading has a consumer of its own, without a group."""

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._topic = topic

    async def read(self, shard: int, *, after: int, incarnation: str) -> AsyncIterator[OperationBatch]:
        """Batches that bring a shard from the position `after` to the present end of its partition.

        The last batch reaches the offset before the end even where compaction has emptied it. Raises
        HistoryUnavailable.
        """
        try:
            async for batch in self._read(shard, after, incarnation):
                yield batch
        except KafkaError as error:
            raise HistoryUnavailable(
                f"reading {self._topic} from offset {after + 1} of shard {shard}: {error!r}"
            ) from error

    async def _read(self, shard: int, after: int, incarnation: str) -> AsyncIterator[OperationBatch]:
        partition = TopicPartition(self._topic, shard)
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap_servers, group_id=None, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign([partition])
            end = (await consumer.end_offsets([partition]))[partition]
            first = (await consumer.beginning_offsets([partition]))[partition]
            position = after
            consumer.seek(partition, max(first, after + 1))
            while position < end - 1:
                fetched = await consumer.getmany(partition, timeout_ms=_POLL_MS, max_records=_BATCH_RECORDS)
                records = fetched.get(partition, [])
                reached = await consumer.position(partition) - 1
                if records or reached >= end - 1:
                    operations = read_operations(records)
                    yield make_batch(
                        incarnation=incarnation, previous=position, position=reached, operations=operations
                    )
                    position = reached
        finally:
            await consumer.stop()


def read_operations(records: Sequence[Record]) -> list[Operation]:
    """The operations of feature records; what cannot be read is logged, and only holds its offset."""
    operations = []
    for record in records:
        try:
            operations.append(
                read_operation(
                    offset=record.offset,
                    timestamp=record.timestamp,
                    key=record.key,
                    value=record.value,
                    headers=record.headers,
                )
            )
        except UnreadableFeature as error:
            log.warning("feature_unreadable", partition=record.partition, offset=record.offset, error=str(error))
    return operations
