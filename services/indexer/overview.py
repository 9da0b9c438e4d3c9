"""What the indexer tells of its shards every second: in Redis for the command line, and in its metrics."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from services.indexer.metrics import IndexerMetrics
from shared.index.shard import Shard
from shared.index.statistics import ShardStatistics
from shared.replication.directory import ReplicaDirectory, Stored, WriterReport
from shared.replication.log import LogUnavailable
from shared.replication.writer import ShardWriter
from shared.runtime.executor import SingleThread
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_REPORT_S = 1.0


class ShardOverview:
    """name: this process in the directory. stored: what the store has of a shard; None where there is no store.

    now_ms: Unix milliseconds.
    """

    def __init__(
        self,
        directory: ReplicaDirectory,
        *,
        name: str,
        stored: Callable[[int], Stored | None],
        thread: SingleThread,
        metrics: IndexerMetrics,
        now_ms: Callable[[], int],
    ) -> None:
        self._directory = directory
        self._name = name
        self._stored = stored
        self._thread = thread
        self._metrics = metrics
        self._now_ms = now_ms
        self._shown: set[int] = set()

    async def run(self, writers: Callable[[], Sequence[ShardWriter]]) -> None:
        """Tell of the shards that are held here, until cancelled."""
        while True:
            held = [writer for writer in writers() if writer.claimed]
            for shard in self._shown - {writer.shard for writer in held}:
                self._metrics.forget(shard)
            self._shown = {writer.shard for writer in held}
            for writer in held:
                try:
                    await self.tell(writer)
                except LogUnavailable as error:
                    log.debug("report_failed", shard=writer.shard, error=str(error))
            await asyncio.sleep(_REPORT_S)

    async def tell(self, writer: ShardWriter) -> None:
        """Raises LogUnavailable."""
        statistics, position, scheme = await self._thread.run(_look_at, writer.fold)
        stored = self._stored(writer.shard)
        self._metrics.describe(writer.shard, statistics, stored_bytes=stored.bytes if stored else None)
        report = WriterReport(
            writer=self._name,
            position=position,
            scheme=scheme,
            at=self._now_ms(),
            stored=stored,
            **msgspec.structs.asdict(statistics),
        )
        await self._directory.report_writer(writer.shard, report)


def _look_at(fold: Shard) -> tuple[ShardStatistics, int, str | None]:
    return fold.statistics, fold.position, fold.scheme
