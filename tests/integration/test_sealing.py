"""Sealing, publishing, restoring and taking over, on a folder and with a log in memory."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.indexer.sealing.policy import SealPolicy
from shared.index.shard import Shard
from shared.index.vectors import VectorFormat
from shared.replication.directory import Stored
from shared.replication.log import LogUnavailable
from shared.replication.replica import ShardReplica
from shared.replication.state import ReplicaState
from shared.replication.store.manifest import Manifest
from shared.replication.store.objects import FolderStore, StoreUnavailable
from shared.replication.store.segment_store import SegmentStore
from shared.replication.store.snapshots import SegmentFollower, StoredSnapshots
from tests.fakes.features_topic import FeaturesTopic
from tests.fakes.inline_thread import InlineThread
from tests.fakes.operations import INCARNATION, code, delete, upsert
from tests.fakes.replica_observer import RecordingObserver
from tests.fakes.replicated import NOW_MS
from tests.fakes.replication_log import FakeLog
from tests.fakes.sealing import SHARD, SealingWriter

HOUR_MS = 60 * 60 * 1000


class Copy:
    """A replica with a store. topic: where it reads what Redis does not have."""

    def __init__(self, objects: FolderStore, folder: Path, log: FakeLog, topic: FeaturesTopic) -> None:
        folder.mkdir()
        self.store = SegmentStore(objects, folder, VectorFormat())
        thread = InlineThread()
        self.follower = SegmentFollower(self.store, thread=thread, now_ms=lambda: NOW_MS)
        self.replica = ShardReplica(
            SHARD,
            incarnation=INCARNATION,
            make_shard=Shard,
            log_=log,
            history=topic,
            thread=thread,
            observer=RecordingObserver(),
            clock=asyncio.get_running_loop().time,
            snapshots=StoredSnapshots(self.store, now_ms=lambda: NOW_MS),
        )

    async def catch_up(self, indexer: SealingWriter) -> None:
        """Run until it is live and where the indexer is."""
        task = asyncio.create_task(self.replica.run())
        async with asyncio.timeout(30):
            await self.replica.wait_for(indexer.writer.fold.position)
            while self.replica.state is not ReplicaState.LIVE:  # noqa: ASYNC110 - it depends on the clock
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
async def indexer(tmp_path: Path) -> SealingWriter:
    made = SealingWriter(FolderStore(tmp_path / "store"), tmp_path / "indexer")
    await made.start()
    return made


async def test_a_manifest_is_as_old_as_what_it_tells_of_though_the_machine_slept_before_it_was_written(
    tmp_path: Path,
) -> None:
    """Kafka tells of deletes for a week: from the moment at which the rows were read, not from the manifest's."""
    indexer = SealingWriter(FolderStore(tmp_path / "store"), tmp_path / "own")
    indexer.builds_for_ms = 100 * HOUR_MS
    await indexer.start()
    await indexer.append(*(upsert(offset, f"image-{offset}") for offset in range(6)))
    await indexer.sealer.seal(indexer.writer)
    [manifest] = indexer.store.manifests(SHARD, incarnation=INCARNATION, beyond=-1, now_ms=indexer.now_ms)
    assert manifest.written_at == NOW_MS


async def test_a_shard_is_due_when_it_has_grown_and_not_before(indexer: SealingWriter) -> None:
    await indexer.append(*(upsert(n, str(n)) for n in range(4)))
    assert not indexer.sealer.due(indexer.writer)
    await indexer.append(upsert(4, "4"))
    assert indexer.sealer.due(indexer.writer)
    await indexer.sealer.seal(indexer.writer)
    assert not indexer.sealer.due(indexer.writer)
    assert indexer.writer.fold.growing_rows == 0


async def test_a_shard_is_due_when_its_manifest_is_far_behind_or_old(tmp_path: Path) -> None:
    indexer = SealingWriter(
        FolderStore(tmp_path / "store"), tmp_path / "indexer", policy=SealPolicy(rows=100, offsets=20, age_ms=1_000)
    )
    await indexer.start()
    await indexer.append(*(upsert(n, "the same") for n in range(19)))
    assert not indexer.sealer.due(indexer.writer)
    await indexer.append(upsert(19, "the same"))
    assert indexer.sealer.due(indexer.writer)
    await indexer.sealer.seal(indexer.writer)
    await indexer.append(upsert(20, "the same"))
    assert not indexer.sealer.due(indexer.writer)
    indexer.clock_s += 1
    assert indexer.sealer.due(indexer.writer)


@pytest.mark.parametrize("hours", [-1_000, -1, 1, 1_000])
async def test_when_a_shard_is_due_does_not_depend_on_the_time_of_day(tmp_path: Path, hours: int) -> None:
    policy = SealPolicy(rows=100, offsets=100, age_ms=1_000)
    indexer = SealingWriter(FolderStore(tmp_path / "store"), tmp_path / "indexer", policy=policy)
    await indexer.start()
    await indexer.append(upsert(0))
    assert not indexer.sealer.due(indexer.writer)
    indexer.now_ms += hours * HOUR_MS
    assert not indexer.sealer.due(indexer.writer)
    indexer.clock_s += 1
    assert indexer.sealer.due(indexer.writer)


async def test_a_shard_that_only_deletes_is_written_anew_when_a_fifth_of_a_segment_is_dead(
    indexer: SealingWriter, tmp_path: Path
) -> None:
    """But not sooner than a minute after its last manifest."""
    await indexer.append(*(upsert(n, str(n)) for n in range(10)))
    await indexer.sealer.seal(indexer.writer)
    await indexer.append(delete(10, "0"))
    indexer.clock_s += 60
    assert not indexer.sealer.due(indexer.writer)
    await indexer.append(delete(11, "1"))
    assert indexer.sealer.due(indexer.writer)
    indexer.clock_s -= 1
    assert not indexer.sealer.due(indexer.writer)
    indexer.clock_s += 1

    assert indexer.writer.fold.statistics.dead_rows == 2
    before = indexer.writer.fold.statistics.mapped_bytes
    await indexer.sealer.seal(indexer.writer)
    after = indexer.writer.fold.statistics
    assert (after.rows, after.dead_rows, after.segments) == (8, 0, 1)
    assert after.mapped_bytes < before
    assert [path.name for path in (tmp_path / "indexer").iterdir()] == list(indexer.writer.fold.sealed)
    indexer.clock_s += 60
    assert not indexer.sealer.due(indexer.writer)


async def test_a_segment_without_live_rows_is_dropped_without_building_another(
    indexer: SealingWriter, tmp_path: Path
) -> None:
    await indexer.append(*(upsert(n, str(n)) for n in range(10)))
    await indexer.sealer.seal(indexer.writer)
    built = indexer.built
    await indexer.append(*(delete(10 + n, str(n)) for n in range(10)))
    indexer.clock_s += 60
    assert indexer.sealer.due(indexer.writer)
    await indexer.sealer.seal(indexer.writer)
    assert indexer.built == built
    assert indexer.writer.fold.statistics.segments == 0
    assert not list((tmp_path / "indexer").iterdir())
    restored = await indexer.sealer.restore(SHARD)
    assert restored is not None
    assert (restored.position, len(restored)) == (19, 0)


async def test_a_shard_is_compacted_into_one_full_segment_when_that_is_asked_for(indexer: SealingWriter) -> None:
    for first in (0, 100, 150):
        count = max(10, 100 - first)
        await indexer.append(*(upsert(first + n, str(first + n)) for n in range(count)))
        await indexer.sealer.seal(indexer.writer)
    await indexer.append(delete(160, "7"), upsert(161, "new"), upsert(162, "gone"), delete(163, "gone"))
    before = indexer.writer.fold.statistics
    assert (before.segments, before.dead_rows) == (2, 2)
    assert not indexer.sealer.due(indexer.writer)
    await indexer.requests.ask(SHARD, "mine")
    await indexer.sealer.look_after(indexer.writer)
    after = indexer.writer.fold.statistics
    assert (after.segments, after.dead_rows, after.rows) == (1, 0, before.rows)
    assert indexer.writer.fold.growing_rows == 0
    assert indexer.requests.asked == {}
    stored = indexer.sealer.stored(SHARD)
    assert (stored.compacted, stored.position, stored.problem) == ("mine", 163, None)


async def test_a_shard_that_is_compact_is_not_built_again(indexer: SealingWriter) -> None:
    await indexer.append(*(upsert(n, str(n)) for n in range(10)))
    await indexer.sealer.seal(indexer.writer)
    built = indexer.built
    await indexer.requests.ask(SHARD, "mine")
    await indexer.sealer.look_after(indexer.writer)
    assert indexer.built == built
    assert indexer.sealer.stored(SHARD).compacted == "mine"


async def test_a_request_that_could_not_be_settled_is_not_fulfilled_twice(indexer: SealingWriter) -> None:
    await indexer.append(*(upsert(n, str(n)) for n in range(4)))
    await indexer.requests.ask(SHARD, "mine")
    pending, settle = indexer.requests.pending, indexer.requests.settle

    async def went_away(shard: int) -> None:
        raise LogUnavailable(f"Redis went away before it took the request for {shard}")

    indexer.requests.settle = went_away  # type: ignore[method-assign]
    await indexer.sealer.look_after(indexer.writer)
    assert (indexer.built, await pending(SHARD)) == (1, "mine")
    indexer.requests.settle = settle  # type: ignore[method-assign]
    await indexer.append(upsert(4, "4"))
    await indexer.sealer.look_after(indexer.writer)
    assert (indexer.built, await pending(SHARD)) == (1, None)


async def test_a_shard_is_sealed_while_nobody_can_be_asked_for_requests(indexer: SealingWriter) -> None:
    indexer.requests.down = True
    await indexer.append(*(upsert(n, str(n)) for n in range(5)))
    await indexer.sealer.look_after(indexer.writer)
    assert indexer.writer.fold.growing_rows == 0


async def test_the_log_is_kept_from_the_manifest_before_the_newest_on(indexer: SealingWriter) -> None:
    for end in (10, 20, 30):
        await indexer.append(*(upsert(n, str(n)) for n in range(end - 10, end)))
        await indexer.sealer.seal(indexer.writer)
    await indexer.append(*(upsert(n, str(n)) for n in range(30, 35)))
    kept = await indexer.log.read(SHARD, after=-1, count=100)
    assert kept[0].previous <= 19 < kept[0].position


async def test_the_log_is_not_kept_without_end_when_nothing_is_sealed(indexer: SealingWriter) -> None:
    for end in (10, 20):
        await indexer.append(*(upsert(n, str(n)) for n in range(end - 10, end)))
        await indexer.sealer.seal(indexer.writer)
    for offset in range(20, 200):
        await indexer.append(upsert(offset, "cat"))
    assert len(await indexer.log.read(SHARD, after=-1, count=1_000)) <= 41


async def test_a_restarted_indexer_goes_on_from_the_manifest(indexer: SealingWriter, tmp_path: Path) -> None:
    await indexer.append(*(upsert(n, str(n)) for n in range(6)), delete(6, "0"))
    await indexer.sealer.seal(indexer.writer)
    successor = SealingWriter(FolderStore(tmp_path / "store"), tmp_path / "successor", log=indexer.log)
    await successor.start()
    assert successor.writer.next_offset == 7
    assert successor.writer.fold.checksum == indexer.writer.fold.checksum
    assert not successor.sealer.due(successor.writer)


async def test_what_no_manifest_names_is_removed_after_two_sweeps_as_the_only_writer(tmp_path: Path) -> None:
    """A writer that lost the shard between them removes nothing: what it saw may be named by another's manifest."""
    objects = FolderStore(tmp_path / "store")
    log = FakeLog()
    orphan = f"{INCARNATION}/0/segments/{'e' * 32}/links.npy"

    async def sealed_twice(*, taken_away: bool) -> dict[str, int]:
        indexer = SealingWriter(objects, tmp_path / "indexer", log=log)
        await indexer.start()
        objects.put(orphan, b"left behind")
        for _ in range(2):
            await indexer.append(upsert(indexer.writer.fold.position + 1))
            if taken_away:
                await log.claim(SHARD, incarnation=INCARNATION, epoch="another", head_if_new=-1)
            await indexer.sealer.seal(indexer.writer)
            if taken_away:
                await indexer.writer.claim()
        return objects.names(orphan.rpartition("/")[0])

    assert await sealed_twice(taken_away=True)
    assert not await sealed_twice(taken_away=False)


async def test_a_store_that_fails_leaves_the_shard_as_it_is_and_sealing_is_tried_again(tmp_path: Path) -> None:
    class Full(FolderStore):
        full = True

        def put(self, path: str, content: Path | bytes) -> None:
            if self.full:
                raise StoreUnavailable("no space left on device")
            super().put(path, content)

    objects = Full(tmp_path / "store")
    indexer = SealingWriter(objects, tmp_path / "indexer")
    await indexer.start()
    await indexer.append(*(upsert(n, str(n)) for n in range(8)))
    before = indexer.writer.fold.checksum
    with pytest.raises(StoreUnavailable):
        await indexer.sealer.look_after(indexer.writer)
    assert (indexer.writer.fold.checksum, len(indexer.writer.fold)) == (before, 8)
    assert indexer.sealer.stored(SHARD) == Stored(bytes=0, problem="no space left on device")
    assert indexer.sealer.due(indexer.writer)
    objects.full = False
    await indexer.sealer.look_after(indexer.writer)
    assert (indexer.sealer.stored(SHARD).position, indexer.sealer.stored(SHARD).problem) == (7, None)
    assert not indexer.sealer.due(indexer.writer)
    restored = await indexer.sealer.restore(SHARD)
    assert restored is not None
    assert restored.checksum == before


async def test_a_replica_begins_with_the_manifest_where_the_log_was_trimmed(
    indexer: SealingWriter, tmp_path: Path
) -> None:
    """Kafka is asked for no more than what came after it."""
    topic = FeaturesTopic()
    for number in range(20):
        topic.write(upsert(number, str(number)))
    await indexer.append(*(upsert(n, str(n)) for n in range(20)))
    await indexer.sealer.seal(indexer.writer)
    indexer.log.trim(SHARD, keep_after=19)
    topic.compact(before=20)
    copy = Copy(FolderStore(tmp_path / "store"), tmp_path / "replica", indexer.log, topic)
    await copy.catch_up(indexer)
    assert copy.replica.index.sealed
    assert copy.replica.index.growing_rows == 0
    assert copy.replica.index.checksum == indexer.writer.fold.checksum


async def test_live_replicas_take_over_what_was_sealed_and_say_the_same_as_before(
    indexer: SealingWriter, tmp_path: Path
) -> None:
    """Through several generations and merges, while rows are replaced and deleted between."""
    rng = random.Random(1)  # noqa: S311 - no secret
    topic = FeaturesTopic()
    copy = Copy(FolderStore(tmp_path / "store"), tmp_path / "replica", indexer.log, topic)
    query = code(3, 1, 4, 1)
    for _ in range(12):
        operations = [
            delete(offset, str(rng.randrange(30)))
            if rng.random() < 0.2
            else upsert(offset, str(rng.randrange(30)), of=code(*(rng.randint(-9, 9) or 1 for _ in range(4))))
            for offset in range(topic.end, topic.end + 10)
        ]
        for operation in operations:
            topic.write(operation)
        await indexer.append(*operations)
        await copy.catch_up(indexer)
        fold = indexer.writer.fold
        said = fold.search(query, 50)
        await indexer.sealer.seal(indexer.writer)
        await copy.follower.look(copy.replica)
        assert copy.replica.index.sealed.keys() == fold.sealed.keys()
        assert copy.replica.index.growing_rows == fold.growing_rows == 0
        assert copy.replica.index.checksum == fold.checksum
        assert copy.replica.index.search(query, 50) == fold.search(query, 50) == said
    folders = {path.name for path in copy.store.folder.iterdir()}
    assert folders == set(copy.replica.index.sealed)


async def test_a_damaged_segment_is_not_taken_over_and_the_replica_goes_on(
    indexer: SealingWriter, tmp_path: Path
) -> None:
    copy = Copy(FolderStore(tmp_path / "store"), tmp_path / "replica", indexer.log, FeaturesTopic())
    await indexer.append(*(upsert(n, str(n)) for n in range(10)))
    await copy.catch_up(indexer)
    await indexer.sealer.seal(indexer.writer)
    [path] = (tmp_path / "store").glob("**/links.npy")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    await copy.follower.look(copy.replica)
    assert not copy.replica.index.sealed
    assert copy.replica.index.checksum == indexer.writer.fold.checksum


async def test_a_replica_that_starts_over_meanwhile_takes_nothing_over_from_the_log_before(
    indexer: SealingWriter, tmp_path: Path
) -> None:
    """Offsets of the two logs are the same numbers, and mean something else."""
    copy = Copy(FolderStore(tmp_path / "store"), tmp_path / "replica", indexer.log, FeaturesTopic())
    await indexer.append(*(upsert(n, str(n)) for n in range(10)))
    await copy.catch_up(indexer)
    await indexer.sealer.seal(indexer.writer)
    manifests = copy.store.manifests

    def start_over_and_list(*args: Any, **kwargs: Any) -> Iterator[Manifest]:
        copy.replica.index = Shard()
        copy.replica.index.apply([upsert(n, f"another {n}") for n in range(10)], position=9)
        return manifests(*args, **kwargs)

    copy.store.manifests = start_over_and_list  # type: ignore[method-assign]
    await copy.follower.look(copy.replica)
    assert [match.row.id for match in copy.replica.index.search(code(1, 2, 3, 4), 10)] == [
        f"another {n}" for n in range(10)
    ]


async def test_what_could_not_be_fetched_is_taken_over_when_the_store_is_back(
    indexer: SealingWriter, tmp_path: Path
) -> None:
    class Flaky(FolderStore):
        down = True

        def fetch(self, path: str, to: Path) -> None:
            if self.down:
                raise StoreUnavailable("the store is down")
            super().fetch(path, to)

    objects = Flaky(tmp_path / "store")
    copy = Copy(objects, tmp_path / "replica", indexer.log, FeaturesTopic())
    await indexer.append(*(upsert(n, str(n)) for n in range(10)))
    await copy.catch_up(indexer)
    await indexer.sealer.seal(indexer.writer)
    await copy.follower.look(copy.replica)
    assert not copy.replica.index.sealed
    objects.down = False
    await copy.follower.look(copy.replica)
    assert copy.replica.index.sealed.keys() == indexer.writer.fold.sealed.keys()
