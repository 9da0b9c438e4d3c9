"""What must hold, whatever went wrong: looked at all the while, and when everything has healed."""

import asyncio
import json

from shared.events.topics import DELETE_RETENTION_MS
from shared.index.shard import EMPTY_POSITION, Shard
from shared.index.vectors import VectorFormat
from shared.replication.replica import CONFIRM_WITHIN_S, POLL_S, ShardReplica
from shared.replication.state import ReplicaState
from shared.replication.store.segment_store import SegmentStore
from tests.fakes.operations import INCARNATION
from tests.fakes.virtual_time import loop_time
from tests.property.simulation.surroundings import SHARD
from tests.property.simulation.truth import Divergence
from tests.property.simulation.world import World

_LOOK_EVERY_S = 0.25
_KNOWN_AFTER_S = CONFIRM_WITHIN_S + 2 * POLL_S
"""What was acknowledged so long ago is in every replica that calls itself live."""
_EQUAL_WITHIN_S = 20.0
"""So long after the last fault all copies are equal, though all of the topic may have to be folded again, slowly."""
_SURELY_SERVED_MS = DELETE_RETENTION_MS * 5 // 7
"""A manifest younger than this is served, whatever the clocks show."""


class Promises:
    def __init__(self, world: World) -> None:
        self._world = world
        self._around = world.around
        self._checked: dict[ShardReplica, object] = {}

    async def watch(self) -> None:
        """Look at everything four times a second. Raises Divergence."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            for one in [*self._world.indexers, *self._world.searchers]:
                one.process.check()
            for number, searcher in enumerate(self._world.searchers):
                self._check_live(f"searcher {number}", searcher.replica)
            self._check_newest_manifest()

    async def check_equality(self) -> None:
        """Everything is calm: wait for all copies to be equal, to be what was written, and for all to be told of it.

        Raises Divergence.
        """
        until = loop_time() + _EQUAL_WITHIN_S
        while (problem := self._difference()) and loop_time() < until:  # noqa: ASYNC110 - no event says it all
            await asyncio.sleep(_LOOK_EVERY_S)
        if problem:
            raise Divergence(f"{problem}, {_EQUAL_WITHIN_S:g} s after the last fault")
        for number, searcher in enumerate(self._world.searchers):
            self._check_content(f"searcher {number}", searcher.replica.index)
        fold = self._world.owner.fold
        assert fold is not None, "there is no difference, so there is a writer"
        self._check_content("the writer", fold)

    def check_rebuilding(self) -> None:
        """Everything is equal: the topic alone tells the same when it is compacted. Raises Divergence."""
        around = self._around
        around.topic.compact(before=around.topic.end)
        rebuilt = Shard()
        rebuilt.apply(around.topic.operations(), position=around.topic.end - 1)
        self._check_content("what is rebuilt from the compacted topic", rebuilt)

    def check_restoring(self, *, hours_ahead: float) -> None:
        """A copy that begins with the store has the newest manifest that is whole, and becomes what was written.

        hours_ahead: of the clock by which it judges the manifest's age. Raises Divergence.
        """
        around = self._around
        store = SegmentStore(around.store, around.disk(), VectorFormat())
        now_ms = around.now_ms() + round(hours_ahead * 3600 * 1000)
        restored = store.restore(SHARD, incarnation=INCARNATION, beyond=EMPTY_POSITION, now_ms=now_ms)
        found = EMPTY_POSITION if restored is None else restored.position
        if restored is not None:
            news = [operation for operation in around.topic.operations() if operation.offset > found]
            restored.apply(news, position=around.topic.end - 1)
            self._check_content(f"what was restored at {found} and read on", restored)
        whole = [path for path in self.manifests() if path not in around.store.damaged and self._is_whole(path)]
        newest = whole[0] if whole else None
        if newest and self._is_surely_served(newest) and found != _position_of(newest):
            raise Divergence(f"the manifest at {found} was served, and the newest that is whole is {newest}")

    def _check_live(self, who: str, replica: ShardReplica) -> None:
        if replica.state is not ReplicaState.LIVE:
            return
        index = replica.index
        version = (id(index), index.position, tuple(index.sealed))
        if self._checked.get(replica) != version:
            self._check_content(who, index)
            self._checked[replica] = version
        now = loop_time()
        known = max(
            (position for position, at in self._around.receipts.items() if at <= now - _KNOWN_AFTER_S), default=-1
        )
        if replica.position < known:
            raise Divergence(f"{who} is live at {replica.position}, and {known} was acknowledged long ago")

    def _check_content(self, who: str, shard: Shard) -> None:
        """Whoever has read what the topic holds is as far as the next record that it does.

        It stands before it only where compaction took all between: the record of a delete, and the image with it.
        """
        topic = self._around.topic
        following = next((record.offset for record in topic.records if record.offset > shard.position), topic.end)
        self._around.truth.at(following - 1).check(shard, f"{who} at {loop_time():.2f} s")

    def _check_newest_manifest(self) -> None:
        manifests = self.manifests()
        if (
            manifests
            and manifests[0] not in self._around.store.damaged
            and (lost := self.files(manifests[0]) - self._around.store.objects.keys())
        ):
            raise Divergence(f"{manifests[0]} names {sorted(lost)}, which are not in the store")

    def _difference(self) -> str | None:
        """What keeps the copies from being equal. Behind the last record, offsets may be left that hold nothing."""
        last = max((record.offset for record in self._around.topic.records), default=EMPTY_POSITION)
        for number, searcher in enumerate(self._world.searchers):
            state, position = searcher.replica.state, searcher.replica.position
            if state is not ReplicaState.LIVE or position < last:
                return f"searcher {number} is {state} at {position} instead of live at {last}"
        fold = self._world.owner.fold
        if fold is None or fold.position < last:
            return f"the writer stands at {None if fold is None else fold.position} instead of {last}"
        if silent := self._around.unanswered:
            return f"nobody heard what became of the operations at {sorted(silent)}"
        return None

    def manifests(self) -> list[str]:
        """The paths of the manifests, newest first."""
        return sorted((path for path in self._around.store.objects if "/manifests/" in path), reverse=True)

    def _is_whole(self, manifest: str) -> bool:
        files = self.files(manifest)
        return files <= self._around.store.objects.keys() and not files & self._around.store.damaged

    def _is_surely_served(self, manifest: str) -> bool:
        """Machines may have slept between the moment that it tells of and the one when it was put."""
        written_at = int(manifest.rpartition("-")[2].partition(".")[0])
        return self._around.now_ms() - min(written_at, self._around.store.put_at[manifest]) < _SURELY_SERVED_MS

    def files(self, manifest: str) -> set[str]:
        """The paths of the files that an undamaged manifest names."""
        root = manifest.rpartition("/manifests/")[0]
        said = json.loads(self._around.store.objects[manifest])["manifest"]
        descriptions = [segment["description"] for segment in said["segments"]]
        return {f"{root}/segments/{each['name']}/{file}" for each in descriptions for file in each["files"]}


def _position_of(manifest: str) -> int:
    return int(manifest.rpartition("/")[2].partition("-")[0])
