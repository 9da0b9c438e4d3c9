"""Events that Kafka has acknowledged, and finding one again by its place."""

import asyncio
import time
from collections import OrderedDict
from contextlib import aclosing
from dataclasses import dataclass, field

import msgspec

from shared.bus.consumer import Record
from shared.bus.partitions import partition_of
from shared.bus.producer import RecordProducer
from shared.bus.scan import read_record, scan
from shared.client.outcomes import Outcome, Outcomes
from shared.events.images import SourcePosition, source_from_headers
from shared.events.receipts import Receipt, decode_receipt
from shared.events.rejects import Reject, read_reject
from shared.events.topics import RECEIPTS_KEPT_MS, Topics
from shared.wires.kafka import Servers

_REMEMBERED = 20_000
_CLOCKS_DIFFER_MS = 60_000
"""An event's time is its producer's, that of its receipt is the broker's."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that Kafka has acknowledged: it will take effect, or be rejected with a reason.

    sent_at: the loop's clock when it was handed over, in seconds.
    """

    id: str
    source: SourcePosition
    sent_at: float
    outcome: asyncio.Future[Outcome] = field(repr=False, compare=False)


class SentEvents:
    """Knows the events that this process has sent of late; of all others, Kafka is asked."""

    def __init__(self, servers: Servers, topics: Topics, outcomes: Outcomes) -> None:
        self._servers = servers
        self._topics = topics
        self._outcomes = outcomes
        self._recent: OrderedDict[SourcePosition, Sent] = OrderedDict()

    def remember(self, sent: Sent) -> Sent:
        self._recent[sent.source] = sent
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return sent

    async def find(self, place: SourcePosition, producer: RecordProducer) -> Sent | None:
        """The event at a place on the upload topic, whoever sent it, and what became of it if that can be read yet.

        None where there is no event that names one image by its key, or where it is older than receipts are kept, and
        no outcome is there. Raises BusUnavailable.
        """
        if known := self._recent.get(place):
            return known
        if place.partition >= await producer.partitions(self._topics.uploaded):
            return None
        record = await read_record(self._servers, self._topics.uploaded, place.partition, place.offset)
        if record is None or not record.key:
            return None
        age_s = time.time() - record.timestamp / 1000
        source = source_from_headers(record.headers) or place
        sent = Sent(
            record.key.decode(errors="replace"),
            source,
            asyncio.get_running_loop().time() - age_s,
            self._outcomes.expect(source),  # from here on what comes is heard: then what came before is read
        )
        for topic in (self._topics.indexed, self._topics.rejected):
            if not sent.outcome.done():
                await self._look_back(topic, await producer.partitions(topic), sent, record)
        return self.remember(sent) if sent.outcome.done() or age_s * 1000 < RECEIPTS_KEPT_MS else None

    async def _look_back(self, topic: str, partitions: int, sent: Sent, record: Record) -> None:
        reading = scan(
            self._servers,
            topic,
            partition_of(sent.id, partitions),
            since_ms=max(0, record.timestamp - _CLOCKS_DIFFER_MS),
        )
        async with aclosing(reading) as steps:
            async for step in steps:
                for each in step.records:
                    fact = fact_of(each, self._topics)
                    if fact is not None and fact.source == sent.source and not sent.outcome.done():
                        told_at = fact.indexed_at if isinstance(fact, Receipt) else each.timestamp
                        self._outcomes.heard(fact, at=sent.sent_at + (told_at - record.timestamp) / 1000)
                        return


def fact_of(record: Record, topics: Topics) -> Receipt | Reject | None:
    """What a record of either topic tells of an event; None where this release cannot read it."""
    if record.topic == topics.rejected:  # whose values strangers wrote
        return read_reject(record.headers)
    try:
        return decode_receipt(record.value or b"")
    except msgspec.DecodeError:
        return None
