"""One partition of `images.features` in memory: records, compaction, and the history that is read from it."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence

from shared.bus.consumer import Record
from shared.bus.history import read_operations
from shared.events.features import encode_feature, feature_of
from shared.events.operations import Operation, OperationBatch, Upsert, make_batch
from shared.replication.replica import HistoryUnavailable
from tests.fakes.records import make_record


class FeaturesTopic:
    """Implements History for its one shard.

    down: the history cannot be read. now_ms: the timestamp of the next record.
    """

    def __init__(self, *, step: int = 7) -> None:
        """step: the records that one step of the history holds."""
        self.records: list[Record] = []
        self.end = 0
        self.down = False
        self.now_ms = 1_000
        self._step = step

    def append(self, *, key: bytes, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()) -> int:
        """Returns the offset that the record got."""
        offset = self.end
        self.records.append(
            make_record(offset=offset, key=key, value=value, headers=headers, timestamp=self.now_ms, topic="features")
        )
        self.end += 1
        return offset

    def write(self, operation: Operation) -> int:
        """Append the record that says what the operation says; its own offset is not looked at."""
        if isinstance(operation, Upsert):
            return self.append(key=operation.id.encode(), value=encode_feature(feature_of(operation)))
        return self.append(key=operation.id.encode(), value=None, headers=operation.source.headers())

    def compact(self, *, before: int, forgotten_deletes: Collection[int] = ()) -> None:
        """Keep the last record of each key among those before the offset `before`, as Kafka's cleaner does.

        forgotten_deletes: the offsets of those whose retention is over.
        """
        last = {record.key: record.offset for record in self.records if record.offset < before}
        self.records = [
            record
            for record in self.records
            if record.offset >= before
            or (
                last[record.key] == record.offset
                and (record.value is not None or record.offset not in forgotten_deletes)
            )
        ]

    def skip(self, offsets: int) -> None:
        """Let offsets pass that hold no record for consumers, as transaction markers do."""
        self.end += offsets

    def fetch(self, first: int, count: int) -> list[Record]:
        return [record for record in self.records if record.offset >= first][:count]

    def operations(self) -> list[Operation]:
        return read_operations(self.records)

    def newest(self) -> Operation:
        """The operation of the last record."""
        [operation] = read_operations(self.records[-1:])
        return operation

    async def read(self, shard: int, *, after: int, incarnation: str) -> AsyncIterator[OperationBatch]:
        await asyncio.sleep(0)
        end, position = self.end, after
        while position < end - 1:
            if self.down:
                raise HistoryUnavailable("Kafka is down")
            records = [record for record in self.fetch(position + 1, self._step) if record.offset < end]
            reached = records[-1].offset if len(records) == self._step else end - 1
            yield make_batch(
                incarnation=incarnation, previous=position, position=reached, operations=read_operations(records)
            )
            position = reached
            await asyncio.sleep(0)
