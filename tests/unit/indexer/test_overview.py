"""What an indexer tells of its shards: how large they are, and what the store has of them."""

import asyncio

from prometheus_client import CollectorRegistry

from services.indexer.metrics import IndexerMetrics
from services.indexer.overview import ShardOverview
from shared.replication.directory import Stored, WriterReport
from shared.replication.log import LogUnavailable
from shared.replication.writer import ShardWriter
from tests.fakes.inline_thread import InlineThread
from tests.fakes.operations import INCARNATION, SCHEME, delete, upsert
from tests.fakes.replication_log import FakeLog

NOW_MS = 77


class FakeDirectory:
    """Takes the place of a ReplicaDirectory."""

    def __init__(self) -> None:
        self.reports: dict[int, WriterReport] = {}
        self.down = False

    async def report_writer(self, shard: int, report: WriterReport) -> None:
        if self.down:
            raise LogUnavailable("Redis is down")
        self.reports[shard] = report


class Bench:
    def __init__(self) -> None:
        self.directory = FakeDirectory()
        self.registry = CollectorRegistry()
        self.writers: list[ShardWriter] = []
        self.overview = ShardOverview(
            self.directory,  # type: ignore[arg-type]
            name="indexer-1",
            stored=lambda shard: Stored(position=shard, bytes=1_000),
            thread=InlineThread(),
            metrics=IndexerMetrics(self.registry),
            now_ms=lambda: NOW_MS,
        )

    async def hold(self, shard: int) -> ShardWriter:
        writer = ShardWriter(shard, FakeLog(), incarnation=INCARNATION, window=10, thread=InlineThread())
        await writer.claim()
        self.writers.append(writer)
        return writer

    def gauge(self, name: str, shard: int) -> float | None:
        return self.registry.get_sample_value(f"afterimage_indexer_{name}", {"shard": str(shard)})


async def test_each_second_the_writer_of_every_shard_says_how_large_it_is() -> None:
    bench = Bench()
    writer = await bench.hold(3)
    task = asyncio.create_task(bench.overview.run(lambda: bench.writers))
    await asyncio.sleep(0.5)
    await writer.append([upsert(0, "a"), upsert(1, "b"), delete(2, "a")], position=2)
    await asyncio.sleep(1.0)
    assert bench.directory.reports[3] == WriterReport(
        writer="indexer-1",
        position=2,
        scheme=SCHEME,
        at=NOW_MS,
        stored=Stored(position=3, bytes=1_000),
        rows=1,
        dead_rows=1,
        segments=0,
        memory_bytes=256 * 4,
        mapped_bytes=0,
    )
    assert (bench.gauge("rows", 3), bench.gauge("dead_rows", 3), bench.gauge("stored_bytes", 3)) == (1, 1, 1_000)
    task.cancel()


async def test_a_shard_that_went_to_another_indexer_is_not_shown_any_more() -> None:
    bench = Bench()
    writer = await bench.hold(3)
    await bench.hold(4)
    task = asyncio.create_task(bench.overview.run(lambda: bench.writers))
    await asyncio.sleep(0.5)
    writer.lose()
    bench.directory.reports.clear()
    await asyncio.sleep(1.0)
    assert bench.directory.reports.keys() == {4}
    assert (bench.gauge("rows", 3), bench.gauge("rows", 4)) == (None, 0)
    task.cancel()


async def test_a_directory_that_is_away_is_no_reason_to_stop() -> None:
    bench = Bench()
    await bench.hold(3)
    bench.directory.down = True
    task = asyncio.create_task(bench.overview.run(lambda: bench.writers))
    await asyncio.sleep(1.5)
    bench.directory.down = False
    await asyncio.sleep(1.0)
    assert bench.directory.reports.keys() == {3}
    task.cancel()
