"""Reading one partition from an offset to its present end, without a consumer group."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from aiokafka import TopicPartition

from shared.bus.consumer import Record
from shared.bus.faults import bus_faults
from shared.bus.ungrouped import ungrouped_consumer
from shared.wires.kafka import Servers, kafka_servers

_BATCH_RECORDS = 2000
_POLL_MS = 500


@dataclass(frozen=True, slots=True)
class Scanned:
    """Some records, and the offset that reading has reached with them: beyond the last where offsets are empty."""

    records: Sequence[Record]
    reached: int


async def scan(
    servers: Servers, topic: str, partition: int, *, first: int = 0, since_ms: int | None = None
) -> AsyncGenerator[Scanned]:
    """Read from `first`, or the oldest record that is kept, to the end as it is when reading begins.

    since_ms: Unix milliseconds; what the records' timestamps say was written before is left out. The last step reaches
    the offset before that end even where compaction has emptied it. Raises BusUnavailable.
    """
    part = TopicPartition(topic, partition)
    with bus_faults(f"reading partition {partition} of {topic}", kafka_servers(servers)):
        async with ungrouped_consumer(servers) as consumer:
            consumer.assign([part])
            end = (await consumer.end_offsets([part]))[part]
            oldest = (await consumer.beginning_offsets([part]))[part]
            if since_ms is not None:
                found = (await consumer.offsets_for_times({part: since_ms}))[part]
                first = max(first, found.offset if found else end)
            consumer.seek(part, max(oldest, first))
            reached = first - 1
            while reached < end - 1:
                fetched = await consumer.getmany(part, timeout_ms=_POLL_MS, max_records=_BATCH_RECORDS)
                position = await consumer.position(part) - 1
                if position > reached:
                    reached = position
                    yield Scanned(fetched.get(part, []), reached)


async def read_record(servers: Servers, topic: str, partition: int, offset: int) -> Record | None:
    """The record at an offset; None where none is there, or not any more. Raises BusUnavailable."""
    async with aclosing(scan(servers, topic, partition, first=offset)) as reading:
        async for step in reading:
            return next((record for record in step.records if record.offset == offset), None)
    return None
