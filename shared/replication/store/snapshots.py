"""How replicas come by what was sealed: they load it instead of folding it, and take it over while they are live."""

import asyncio
from collections.abc import Callable, Collection

from shared.index.sealed.description import CorruptSegment
from shared.index.shard import RowsLost, Shard
from shared.replication.replica import ShardReplica
from shared.replication.store.manifest import Manifest
from shared.replication.store.objects import StoreUnavailable
from shared.replication.store.segment_store import SegmentStore
from shared.runtime.executor import SingleThread
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_LOOK_EVERY_S = 5.0


class StoredSnapshots:
    """Implements Snapshots over the store. now_ms: Unix milliseconds."""

    def __init__(self, store: SegmentStore, *, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms

    async def restore(self, shard: int, *, incarnation: str, beyond: int) -> Shard | None:
        try:
            restored = await asyncio.to_thread(
                self._store.restore, shard, incarnation=incarnation, beyond=beyond, now_ms=self._now_ms()
            )
        except StoreUnavailable as error:
            log.warning("segment_store_unavailable", shard=shard, error=str(error))
            return None
        if restored is not None:
            log.info("shard_restored", shard=shard, position=restored.position, rows=len(restored))
        return restored


class SegmentFollower:
    """Has live replicas take over segments as they are sealed, so that what grows in memory stays small.

    thread: the one in which the shards are changed and searched.
    """

    def __init__(self, store: SegmentStore, *, thread: SingleThread, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._thread = thread
        self._now_ms = now_ms
        self._seen: dict[tuple[str, int], int] = {}
        """(incarnation, shard) → the position of the last manifest that was dealt with."""

    async def run(self, replicas: Collection[ShardReplica]) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            for replica in replicas:
                await self.look(replica)

    async def look(self, replica: ShardReplica) -> None:
        """Take over what the newest manifest says that the replica has reached. What is damaged is left alone."""
        index, incarnation = replica.index, replica.incarnation  # of one log: the replica may start over meanwhile
        try:
            manifest = await asyncio.to_thread(self._newest, replica.shard, incarnation, index.position)
            if manifest is None:
                return
            try:
                await self._take_over(index, manifest)
            except (CorruptSegment, FileNotFoundError, RowsLost) as error:
                log.warning("segments_not_taken_over", shard=replica.shard, error=str(error))
            self._seen[incarnation, replica.shard] = manifest.position
        except StoreUnavailable as error:
            log.warning("segment_store_unavailable", shard=replica.shard, error=str(error))

    def _newest(self, shard: int, incarnation: str, position: int) -> Manifest | None:
        seen = self._seen.get((incarnation, shard), -1)
        found = self._store.manifests(shard, incarnation=incarnation, beyond=seen, now_ms=self._now_ms())
        return next((manifest for manifest in found if manifest.position <= position), None)

    async def _take_over(self, index: Shard, manifest: Manifest) -> None:
        descriptions = {segment.description.name: segment.description for segment in manifest.segments}
        new = [description for name, description in descriptions.items() if name not in index.sealed]
        old = index.sealed.keys() - descriptions.keys()
        added = [await asyncio.to_thread(self._store.open, manifest, description) for description in new]
        await self._thread.run(index.exchange, added, dropped=old)
        await asyncio.to_thread(self._store.forget, old)
        log.info(
            "segments_taken_over", shard=manifest.shard, position=manifest.position, added=len(new), dropped=len(old)
        )
