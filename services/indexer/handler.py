"""What the indexer does with the records of one shard: append to the log, commit, send receipts, in this order."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from services.indexer.metrics import IndexerMetrics
from services.indexer.reports import Reports
from shared.bus import tracing as bus_tracing
from shared.bus.consumer import Record
from shared.bus.faults import BusUnavailable
from shared.bus.history import read_operations
from shared.bus.producer import RecordProducer
from shared.codes.description import code_of_scheme
from shared.events.operations import Upsert
from shared.events.topics import Topics
from shared.index.shard import Shard
from shared.replication.log import Conflict, Fenced, LogUnavailable
from shared.replication.writer import ShardWriter
from shared.runtime import tracing
from shared.runtime.logging import get_logger

if TYPE_CHECKING:
    from opentelemetry.trace import Span

log = get_logger(__name__)

_RETRY_S = 0.5
CONFIRM_WITHIN_S = 10.0
"""A shard whose head could not be compared with the log for so long may be another's, for all that is known here."""


class Partitions(Protocol):
    """The indexer's hold on `images.features`."""

    def assigned(self) -> set[int]: ...

    async def position(self, partition: int) -> int:
        """The offset of the next record that will be delivered; -1 where the partition has gone away."""

    def seek(self, partition: int, offset: int) -> None:
        """Have records delivered from `offset` on."""

    async def commit(self, offsets: dict[int, int]) -> bool:
        """Note, for each partition, the next record to be read after a restart."""

    async def end(self, partition: int) -> int:
        """The offset that the partition's next record will get. Raises BusUnavailable."""


class LogAhead(Exception):
    """The log in Redis has positions that the topic has not reached: they cannot be of one history."""


class WrongCode(Exception):
    """The features are of another code than the one that this indexer compares by: every segment would be wrong."""


class IndexFeatures:
    """Keeps a writer for each assigned shard.

    Batches and the heartbeat of a shard exclude each other. Every batch that was fetched before a seek is dropped: it
    is known by the partition's position, which the seek has moved back. Otherwise the position is behind the batch, and
    further on where compaction has emptied the offsets that follow.

    make_writer: gives a writer, unclaimed, for a shard. code: the name of what features are compared by. now_ms: Unix
    milliseconds. clock: seconds, monotonic. restore: gives a shard's newest snapshot, where there are any, so that only
    what came since must be folded.
    """

    def __init__(
        self,
        *,
        topics: Topics,
        partitions: Partitions,
        make_writer: Callable[[int], ShardWriter],
        producer: RecordProducer,
        metrics: IndexerMetrics,
        max_batch: int,
        code: str,
        now_ms: Callable[[], int],
        restore: Callable[[int], Awaitable[Shard | None]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topics = topics
        self._partitions = partitions
        self._make_writer = make_writer
        self._restore = restore
        self._reports = Reports(topics=topics, producer=producer, metrics=metrics, now_ms=now_ms)
        self._metrics = metrics
        self._max_batch = max_batch
        self._code = code
        self._writers: dict[int, ShardWriter] = {}
        self._unreported: dict[int, int] = {}
        """Shard → the first offset whose receipt this process has not sent, for what it has held without a break."""
        self._locks: dict[int, asyncio.Lock] = {}
        self._clock = clock
        self._confirmed_at: dict[int, float] = {}
        """Shard → when its log was last found to end where this process left it."""
        self._restoring = 0
        self._steps = 0
        self.trouble: str | None = None
        """Why a shard could not be claimed, the last time that this was tried."""

    @property
    def writers(self) -> list[ShardWriter]:
        return list(self._writers.values())

    @property
    def unclaimed(self) -> list[int]:
        """The shards assigned here whose log is not held yet."""
        claimed = {shard for shard, writer in self._writers.items() if writer.claimed}
        return sorted(self._partitions.assigned() - claimed)

    @property
    def unconfirmed(self) -> dict[int, float]:
        """Shards that are held, and seconds for which nobody could be asked whether that is still so, where many."""
        now = self._clock()
        ages = {shard: now - self._confirmed_at.get(shard, now) for shard in self._partitions.assigned()}
        return {shard: age for shard, age in sorted(ages.items()) if age > CONFIRM_WITHIN_S}

    def progress(self) -> int | None:
        """What changes with every heartbeat, every batch, and every attempt that failed.

        None while a snapshot is fetched, which takes any time.
        """
        return None if self._restoring else self._steps

    async def index(self, shard: int, records: Sequence[Record]) -> None:
        """Deal with records of one shard, in order. Returns when they are, or when they will be delivered again."""
        cause = "assigned"
        async with self._lock(shard):
            while shard in self._partitions.assigned():
                if await self._partitions.position(shard) <= records[-1].offset:
                    return
                try:
                    await self._index(shard, records, cause)
                except (LogUnavailable, BusUnavailable) as error:
                    self._tell_unavailable(shard, error)
                    await asyncio.sleep(_RETRY_S)
                except (Fenced, Conflict) as error:
                    log.warning("claim_void", shard=shard, reason=str(error))
                    self._lose(shard)
                    cause = "fenced"
                else:
                    self._steps += 1
                    return

    async def heartbeat(self) -> None:
        """Claim what is assigned and not held, and find out what was lost while no records came."""
        assigned = self._partitions.assigned()
        for shard in self._writers.keys() - assigned:
            del self._writers[shard]
        for shard in sorted(assigned):
            async with self._lock(shard):
                await self._check(shard)
        self._steps += 1

    def revoked(self, shards: set[int]) -> None:
        """Take note that shards went away. Their folds stay a while, for they often come back."""
        for shard in shards:
            self._lose(shard)
            self._unreported.pop(shard, None)
            self._confirmed_at.pop(shard, None)

    async def _check(self, shard: int) -> None:
        writer = self._writers.get(shard)
        try:
            if writer is None or not writer.claimed:
                await self._claim(shard, cause="assigned")
            elif await writer.still_mine():
                self._confirm(shard)
            else:
                writer.lose()
                await self._claim(shard, cause="lost")
            self.trouble = None
        except (LogUnavailable, BusUnavailable) as error:
            self._tell_unavailable(shard, error)

    async def _claim(self, shard: int, *, cause: str) -> None:
        """Become the shard's writer, and have what it lacks delivered.

        Raises LogUnavailable, BusUnavailable, LogAhead, WrongCode.
        """
        if shard not in self._partitions.assigned():
            return
        writer = self._writers.get(shard) or await self._new_writer(shard)
        self._check_code(shard, writer.fold.scheme)
        await writer.claim()
        self._metrics.claims.labels(cause).inc()
        head = writer.head if writer.head is not None else -1
        try:
            end = await self._partitions.end(shard)
        except BusUnavailable:
            writer.lose()
            raise
        if shard not in self._partitions.assigned():  # it went away while this was asking
            writer.lose()
            return
        if head >= end:
            raise LogAhead(
                f"the log of shard {shard} in Redis stands at offset {head}, but {self._topics.features} ends before "
                f"{end}: the topic was replaced, or lost records. If Kafka is right, delete the shard's keys in Redis"
            )
        self._confirm(shard)
        # Receipts come last: those of the last batch before the head may never have been sent by whoever wrote it.
        unreported = self._unreported.setdefault(shard, max(0, head + 1 - self._max_batch))
        self._partitions.seek(shard, min(writer.next_offset, unreported))

    async def _new_writer(self, shard: int) -> ShardWriter:
        writer = self._make_writer(shard)
        if self._restore is not None:
            self._restoring += 1
            try:
                restored = await self._restore(shard)
            finally:
                self._restoring -= 1
            if restored is not None:
                writer.fold = restored
        return self._writers.setdefault(shard, writer)

    async def _index(self, shard: int, records: Sequence[Record], cause: str) -> None:
        """Append, commit, report; or claim first, for `cause`, and have the records delivered again."""
        writer = self._writers.get(shard)
        if writer is None or not writer.claimed:
            await self._claim(shard, cause=cause)
            return
        group = self._topics.group("indexer")
        with bus_tracing.consuming(records, group=group, beyond=-1 if writer.head is None else writer.head) as spans:
            await self._write(writer, records, spans, group)

    async def _write(
        self, writer: ShardWriter, records: Sequence[Record], spans: "dict[int, Span]", group: str
    ) -> None:
        """spans: of what the log has not."""
        shard, images = writer.shard, list(spans.values())
        operations = read_operations(records)
        first = next((operation.scheme for operation in operations if isinstance(operation, Upsert)), None)
        self._check_code(shard, writer.fold.scheme or first)
        position = records[-1].offset
        unreported = self._unreported.get(shard, 0)
        with self._metrics.append_seconds.time(), tracing.batch("append", images):
            traces = {offset: tracing.packed(span) for offset, span in spans.items()}
            written = await writer.append(operations, position=position, traces=traces)
        self._confirm(shard)
        news = [item for item in written if item.operation.offset >= unreported]
        await self._reports.restate_winners(writer, news)
        if position == writer.head:  # what is read again, to fold it or to report it, was committed before
            with bus_tracing.committing(self._topics.features, images, group=group):
                await self._partitions.commit({shard: position + 1})
        with tracing.batch("report", images):
            await self._reports.report(writer, news)
        if shard in self._unreported:
            self._unreported[shard] = max(unreported, position + 1)
        self._metrics.batch_operations.observe(len(operations))
        self._metrics.position.labels(str(shard)).set(position)

    def _check_code(self, shard: int, scheme: str | None) -> None:
        """Raises WrongCode. scheme: that of the shard's rows, or of those that are about to be its first."""
        if (code := code_of_scheme(scheme or "")) not in (None, self._code):
            raise WrongCode(
                f"shard {shard} of {self._topics.features} has codes of {code} (scheme {scheme}), and AFTERIMAGE_CODE "
                f"of this indexer is {self._code}: set it alike for all workers, or index anew under another namespace"
            )

    def _tell_unavailable(self, shard: int, error: LogUnavailable | BusUnavailable) -> None:
        self.trouble = str(error)
        self._steps += 1
        log.warning("log_unavailable", shard=shard, error=str(error), retry_in_s=_RETRY_S)
        self._metrics.unavailable.labels("log" if isinstance(error, LogUnavailable) else "bus").inc()

    def _confirm(self, shard: int) -> None:
        self._confirmed_at[shard] = self._clock()

    def _lose(self, shard: int) -> None:
        if shard in self._writers:
            self._writers[shard].lose()

    def _lock(self, shard: int) -> asyncio.Lock:
        return self._locks.setdefault(shard, asyncio.Lock())
