"""Restores shards from a snapshot, after everything that makes it unsafe was looked for."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from services.cli.failures import Failure
from services.cli.progress import Bytes
from services.cli.settings import CliSettings
from services.cli.shards import Shards
from services.cli.stores import snapshot_store, store_of_segments
from shared.bus.history import FeatureHistory
from shared.events.operations import Operation, Upsert
from shared.events.topics import Topics
from shared.replication.connection import connect
from shared.replication.directory import ReplicaDirectory
from shared.replication.replica import HistoryUnavailable
from shared.replication.store.objects import StoreUnavailable
from shared.replication.store.restoring import (
    NotRestorable,
    check_history,
    check_manifest,
    check_target,
    newest_of,
    open_snapshot,
    put_in_place,
)

_WRITER_REPORTS_WITHIN_S = 2.5
_COMPARED_OFFSETS = 500


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a shard. position: the offset that the store reaches now. replayed: offsets that Kafka adds to it.

    refused: why it was left as it was; None where it was restored.
    """

    shard: int
    position: int | None = None
    images: int = 0
    bytes: int = 0
    replayed: int = 0
    refused: str | None = None


async def see_that_nobody_writes(settings: CliSettings, shards: Shards) -> None:
    """Raises Failure where an indexer that holds one of the shards still reports, and LogUnavailable."""
    async with connect(settings.redis) as redis:
        directory = ReplicaDirectory(redis, namespace=settings.namespace)
        before = {number: await directory.writer(number) for number in shards.numbers}
        if any(before.values()):
            await asyncio.sleep(_WRITER_REPORTS_WITHIN_S)
        for number, was in before.items():
            writer = await directory.writer(number)
            if writer is not None and (was is None or writer.at != was.at):
                raise Failure(
                    f"the indexer {writer.writer} is running and holds shard {number}: it would write and sweep the "
                    "store meanwhile. Stop the indexers first; searchers can go on"
                )


async def restore_shard(settings: CliSettings, shards: Shards, shard: int, place: str, bar: Bytes) -> Restored:
    """Raises Failure where a store or Kafka cannot be reached."""
    try:
        with TemporaryDirectory(prefix="afterimage-restore-") as scratch:
            restored = await _restore(settings, shards, shard, place, bar, Path(scratch))
    except NotRestorable as refusal:
        bar.end(f"shard {shard}: refused")
        return Restored(shard=shard, refused=f"the snapshot cannot be used: {refusal}")
    except (StoreUnavailable, HistoryUnavailable) as error:
        raise Failure(str(error)) from error
    bar.end(f"shard {shard}: restored")
    return restored


async def _restore(
    settings: CliSettings, shards: Shards, shard: int, place: str, bar: Bytes, scratch: Path
) -> Restored:
    source, target = snapshot_store(place, settings), store_of_segments(settings)
    stored = await asyncio.to_thread(newest_of, source, shard, incarnation=shards.incarnation)
    position, end = stored.manifest.position, shards.ends[shard]
    bar.begin(2 * stored.bytes)
    check_manifest(stored.manifest, first=shards.first[shard], end=end, now_ms=time.time_ns() // 1_000_000)
    await asyncio.to_thread(check_target, target, stored.manifest, scratch)
    opened = await asyncio.to_thread(open_snapshot, source, stored, scratch, bar.advance)
    history = FeatureHistory(settings.kafka, Topics(settings.namespace).features)
    before = await _operations_before(history, shard, position, shards.incarnation)
    check_history(opened, before, scheme=await _scheme(history, shard, shards.incarnation))
    await asyncio.to_thread(put_in_place, source, target, stored, scratch, bar.advance)
    return Restored(shard=shard, position=position, images=len(opened), bytes=stored.bytes, replayed=end - 1 - position)


async def _operations_before(
    history: FeatureHistory, shard: int, position: int, incarnation: str
) -> Sequence[Operation]:
    """What Kafka still has of the last offsets up to a position."""
    after = max(-1, position - _COMPARED_OFFSETS)
    found: list[Operation] = []
    async with aclosing(history.read(shard, after=after, incarnation=incarnation)) as batches:
        async for batch in batches:
            found += [operation for operation in batch.operations if operation.offset <= position]
            if batch.position >= position:
                break
    return found


async def _scheme(history: FeatureHistory, shard: int, incarnation: str) -> str | None:
    """That of the first upsert in Kafka, which gives a shard its scheme."""
    async with aclosing(history.read(shard, after=-1, incarnation=incarnation)) as batches:
        async for batch in batches:
            for operation in batch.operations:
                if isinstance(operation, Upsert):
                    return operation.scheme
    return None
