"""Reading a shard's partition of `images.features` from any offset: what is rebuilt from, when all else is lost."""

from collections.abc import AsyncGenerator, Sequence

from shared.bus.consumer import Record
from shared.bus.faults import BusUnavailable
from shared.bus.scan import scan
from shared.events.features import UnreadableFeature, read_operation
from shared.events.operations import Operation, OperationBatch, make_batch
from shared.replication.replica import HistoryUnavailable
from shared.runtime.logging import get_logger
from shared.wires.kafka import Servers

log = get_logger(__name__)


class FeatureHistory:
    """Implements replication's History over Kafka."""

    def __init__(self, servers: Servers, topic: str) -> None:
        self._servers = servers
        self._topic = topic

    async def read(self, shard: int, *, after: int, incarnation: str) -> AsyncGenerator[OperationBatch, None]:
        """Batches that bring a shard from the position `after` to the present end of its partition.

        Raises HistoryUnavailable.
        """
        position = after
        try:
            async for step in scan(self._servers, self._topic, shard, first=after + 1):
                yield make_batch(
                    incarnation=incarnation,
                    previous=position,
                    position=step.reached,
                    operations=read_operations(step.records),
                )
                position = step.reached
        except BusUnavailable as error:
            raise HistoryUnavailable(f"{error} (from offset {position + 1})") from error


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
