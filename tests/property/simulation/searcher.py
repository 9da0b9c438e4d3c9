"""A searcher process with a replica of the one shard."""

from collections.abc import Callable
from pathlib import Path

from shared.events.operations import OperationBatch
from shared.index.shard import Shard
from shared.index.vectors import VectorFormat
from shared.replication.directory import ReplicaReport
from shared.replication.replica import GapKind, ShardReplica
from shared.replication.replica_set import ReplicaSet
from shared.replication.store.segment_store import SegmentStore
from shared.replication.store.snapshots import SegmentFollower, StoredSnapshots
from tests.fakes.inline_thread import InlineThread
from tests.fakes.operations import INCARNATION
from tests.fakes.virtual_time import loop_time
from tests.property.simulation.clocks import WallClock
from tests.property.simulation.process import Process
from tests.property.simulation.surroundings import SHARD, Surroundings

MakeReplica = Callable[..., ShardReplica]


class Searcher:
    """disk: its folder for segments, with what was left there by a process before it."""

    def __init__(self, around: Surroundings, disk: Path, make_replica: MakeReplica) -> None:
        self.disk = disk
        self.clock = WallClock(around.now_ms)
        thread = InlineThread()
        store = SegmentStore(around.store, disk, VectorFormat())
        self.replica = make_replica(
            SHARD,
            incarnation=INCARNATION,
            make_shard=Shard,
            log_=around.log,
            history=around.topic,
            thread=thread,
            observer=_NoObserver(),
            clock=loop_time,
            snapshots=StoredSnapshots(store, now_ms=self.clock),
        )
        replicas = ReplicaSet(
            {SHARD: self.replica},
            name="searcher",
            log_=around.log,
            directory=_NoDirectory(),  # type: ignore[arg-type]
            thread=thread,
        )
        follower = SegmentFollower(store, thread=thread, now_ms=self.clock)
        self.process = Process(replicas.run(), follower.run([self.replica]))


class _NoDirectory:
    async def report(self, shard: int, report: ReplicaReport) -> None:
        """Nobody looks."""


class _NoObserver:
    def applied(self, shard: int, batch: OperationBatch, *, live: bool) -> None: ...
    def gap(self, shard: int, kind: GapKind) -> None: ...
    def unavailable(self, shard: int, source: str) -> None: ...
