"""Images whose time is over are deleted through Kafka, and nothing else ever is."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.indexer.retention import MOST_AT_ONCE, ExpireImages
from services.indexer.upload_clock import UploadClock
from shared.events.operations import Delete, Operation
from shared.index.shard import Shard
from tests.fakes.operations import upsert
from tests.unit.indexer.bench import SHARD, TOPICS, Bench, source

NOW_MS = 100_000_000_000
HOUR_MS = 3_600_000
LONG_AGO = NOW_MS - HOUR_MS - 1
JUST_NOW = NOW_MS - 1


class Site:
    """An indexer on its bench, with a retention of an hour."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.wall_ms = NOW_MS
        self.clock = UploadClock(now_ms=lambda: self.wall_ms, monotonic=lambda: 0.0)
        self.expiry = ExpireImages(
            HOUR_MS,
            topics=TOPICS,
            producer=self,  # type: ignore[arg-type]
            clock=self.clock,
            thread=self.bench.thread,
            metrics=self.bench.metrics,
        )

    async def send_until_acknowledged(self, topic: str, *, key: bytes, value: None, **sent: Any) -> SimpleNamespace:
        """As Kafka does: what is written stands in the topic, and is delivered when its turn comes."""
        assert (topic, sent["partition"]) == (TOPICS.features, SHARD)
        self.bench.topic.now_ms = sent["timestamp_ms"]
        return SimpleNamespace(offset=self.bench.topic.append(key=key, value=value, headers=sent["headers"]))

    async def index(self, *operations: Operation) -> None:
        self.bench.write(*operations)
        await self.bench.handler.heartbeat()
        await self.bench.deliver_all()

    async def expire(self) -> int:
        self.clock.hear(self.bench.writer.fold.newest_upload_at)
        return await self.expiry.expire(self.bench.writer)

    async def left(self) -> set[str]:
        """The images that are there once everything that is over has been deleted."""
        while await self.expire():
            await self.bench.deliver_all()
        fold = self.bench.writer.fold
        return {image_id for image_id in map(str, range(2_000)) if image_id in fold}


async def test_an_image_goes_when_it_occurred_too_long_ago() -> None:
    site = Site()
    await site.index(
        upsert(0, "0", uploaded_at=NOW_MS, occurred_at=LONG_AGO),
        upsert(1, "1", uploaded_at=NOW_MS, occurred_at=LONG_AGO + 1),
        upsert(2, "2", uploaded_at=NOW_MS, occurred_at=JUST_NOW),
    )
    assert await site.left() == {"1", "2"}


async def test_an_image_that_does_not_say_when_it_occurred_is_as_old_as_its_upload() -> None:
    site = Site()
    await site.index(upsert(0, "0", uploaded_at=LONG_AGO), upsert(1, "1", uploaded_at=NOW_MS))
    assert await site.left() == {"1"}


async def test_an_image_did_not_occur_after_it_was_uploaded() -> None:
    """Else a camera whose clock is ahead would keep its images for ever."""
    site = Site()
    await site.index(upsert(0, "0", uploaded_at=LONG_AGO, occurred_at=2 * NOW_MS), upsert(1, "1", uploaded_at=NOW_MS))
    assert await site.left() == {"1"}


async def test_the_tombstone_names_the_upload_that_is_over_and_the_time_by_the_uploads() -> None:
    site = Site()
    await site.index(upsert(0, "0", source=7, uploaded_at=NOW_MS, occurred_at=LONG_AGO))
    await site.expire()
    tombstone = site.bench.topic.newest()
    assert tombstone == Delete(offset=1, id="0", source=source(7), uploaded_at=NOW_MS)
    assert site.bench.registry.get_sample_value("afterimage_indexer_expired_total") == 1


@pytest.mark.parametrize("newer_is", ["before", "behind"])
async def test_a_newer_upload_of_the_same_image_stays_wherever_the_tombstone_stands(newer_is: str) -> None:
    site = Site()
    old = upsert(0, "0", source=7, uploaded_at=NOW_MS, occurred_at=LONG_AGO)
    newer = upsert(1, "0", source=8, uploaded_at=NOW_MS, occurred_at=JUST_NOW)
    await site.index(old)
    if newer_is == "before":
        site.bench.write(newer)
    await site.expire()
    if newer_is == "behind":
        site.bench.write(newer)
    await site.bench.deliver_all()
    assert await site.left() == {"0"}


async def test_an_upload_that_is_over_and_comes_again_goes_again() -> None:
    """An extractor that died before its commit encodes it once more."""
    site = Site()
    old = upsert(0, "0", source=7, uploaded_at=NOW_MS, occurred_at=LONG_AGO)
    await site.index(old, upsert(1, "1", uploaded_at=NOW_MS))
    assert await site.left() == {"1"}
    await site.index(old)
    assert await site.left() == {"1"}


async def test_what_is_over_is_deleted_in_batches_each_after_the_one_before_is_gone() -> None:
    site = Site()
    count = 2 * MOST_AT_ONCE + 1
    await site.index(*(upsert(n, str(n), uploaded_at=NOW_MS, occurred_at=LONG_AGO) for n in range(count)))
    assert await site.expire() == MOST_AT_ONCE
    assert await site.expire() == 0
    await site.bench.deliver()
    assert await site.expire() == 0
    await site.bench.deliver_all()
    assert await site.expire() == MOST_AT_ONCE
    await site.bench.deliver_all()
    assert await site.left() == set()
    assert site.bench.topic.end == 2 * count


async def test_a_clock_that_jumps_ahead_deletes_nothing() -> None:
    site = Site()
    await site.index(*(upsert(n, str(n), uploaded_at=NOW_MS - n) for n in range(5)))
    site.wall_ms += 1_000 * HOUR_MS
    assert await site.left() == {"0", "1", "2", "3", "4"}
    await site.index(upsert(5, "5", uploaded_at=NOW_MS + HOUR_MS))
    assert await site.left() == {"0", "5"}


async def test_whoever_rebuilds_from_what_compaction_leaves_comes_to_the_same() -> None:
    site = Site()
    await site.index(
        *(upsert(n, str(n % 7), uploaded_at=NOW_MS, occurred_at=LONG_AGO if n % 3 else JUST_NOW) for n in range(30))
    )
    kept = await site.left()
    assert 0 < len(kept) < 7
    site.bench.topic.compact(before=site.bench.topic.end)
    rebuilt = Shard()
    rebuilt.apply(site.bench.topic.operations(), position=site.bench.topic.end - 1)
    assert rebuilt.checksum == site.bench.writer.fold.checksum
