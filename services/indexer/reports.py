"""What the indexer writes to Kafka about operations that the log has reached: receipts, rejects, winners once more."""

import asyncio
from collections.abc import Callable, Sequence

from services.indexer.metrics import IndexerMetrics
from shared.bus.producer import RecordProducer
from shared.events import headers as hdr
from shared.events import rejects
from shared.events.faults import PoisonInput, RejectReason
from shared.events.features import encode_feature, feature_of
from shared.events.operations import Delete, Operation, Upsert
from shared.events.receipts import Effect, Receipt, encode_receipt
from shared.events.topics import Topics
from shared.index.shard import Outcome
from shared.replication.writer import ShardWriter, Written
from shared.runtime.logging import get_logger

log = get_logger(__name__)


class Reports:
    """Everything here returns when Kafka has acknowledged it. now_ms: Unix milliseconds."""

    def __init__(
        self, *, topics: Topics, producer: RecordProducer, metrics: IndexerMetrics, now_ms: Callable[[], int]
    ) -> None:
        self._topics = topics
        self._producer = producer
        self._metrics = metrics
        self._now_ms = now_ms

    async def restate_winners(self, writer: ShardWriter, written: Sequence[Written]) -> None:
        """Write the winner again behind each record that lost, which Kafka's compaction would keep in its stead.

        Behind one that another record of its id follows there is no need: compaction keeps that one, or it loses too.
        """
        last = {item.operation.id: item for item in written}
        async with asyncio.TaskGroup() as sends:
            for item in last.values():
                if item.outcome is not Outcome.APPLIED:
                    sends.create_task(self._restate_winner(writer, item.operation))

    async def _restate_winner(self, writer: ShardWriter, overruled: Operation) -> None:
        winner = _winner(writer, overruled)
        log.info("winner_restated", shard=writer.shard, overruled=overruled.offset)
        await self._producer.send_until_acknowledged(
            self._topics.features,
            key=winner.id.encode(),
            value=encode_feature(feature_of(winner)) if isinstance(winner, Upsert) else None,
            headers=winner.source.headers() if isinstance(winner, Delete) else (),
        )

    async def report(self, writer: ShardWriter, written: Sequence[Written]) -> None:
        """Tell the producers what became of their events."""
        async with asyncio.TaskGroup() as sends:
            for item in written:
                self._metrics.operations.labels(item.outcome.name.lower()).inc()
                send = self._reject if item.outcome is Outcome.FOREIGN else self._send_receipt
                sends.create_task(send(writer, item))

    async def _send_receipt(self, writer: ShardWriter, item: Written) -> None:
        operation = item.operation
        receipt = Receipt(
            id=operation.id,
            effect=_effect(item),
            shard=writer.shard,
            position=operation.offset,
            source_partition=operation.source.partition,
            source_offset=operation.source.offset,
            uploaded_at=operation.uploaded_at,
            indexed_at=self._now_ms(),
        )
        await self._producer.send_until_acknowledged(
            self._topics.indexed,
            key=operation.id.encode(),
            value=encode_receipt(receipt),
            headers=[(hdr.CONTENT_TYPE, hdr.JSON.encode())],
        )

    async def _reject(self, writer: ShardWriter, item: Written) -> None:
        operation = item.operation
        fault = PoisonInput(
            RejectReason.SCHEME_MISMATCH,
            f"the index holds codes of scheme {writer.fold.scheme}, this one is of "
            f"{getattr(operation, 'scheme', 'none')}: set the extractors alike, then upload again",
        )
        headers = rejects.reject_headers(
            fault, stage="index", source=operation.source, uploaded_at=operation.uploaded_at, original=()
        )
        await self._producer.send_until_acknowledged(
            self._topics.rejected,
            key=operation.id.encode(),
            value=None,
            headers=[*headers, (rejects.VALUE_DROPPED, b"1")],
        )


def _winner(writer: ShardWriter, overruled: Operation) -> Operation:
    """What holds for an id: that there is nothing, where nothing is known.

    Else a code of another scheme could be the first that is left of the topic one day, and whoever rebuilds the shard
    from it would take that scheme for the shard's, and all others for foreign.
    """
    if writer.fold.knows(overruled.id):
        return writer.fold.winner(overruled.id, offset=overruled.offset)
    return Delete(offset=overruled.offset, id=overruled.id, source=overruled.source, uploaded_at=overruled.uploaded_at)


def _effect(item: Written) -> Effect:
    if item.outcome is Outcome.STALE:
        return Effect.SUPERSEDED
    return Effect.DELETED if isinstance(item.operation, Delete) else Effect.INDEXED
