"""A small Afterimage in virtual time: indexers, a log, replicas and a topic, and whatever can go wrong between them.

Everything that happens follows from the seed. The truth is the fold of all that was ever written to the topic, kept
apart from every fault.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from services.indexer.handler import IndexFeatures
from services.indexer.metrics import IndexerMetrics
from shared.events.images import SourcePosition
from shared.events.operations import Delete, Operation, OperationBatch, Upsert
from shared.events.receipts import decode_receipt
from shared.events.topics import Topics
from shared.index.shard import EMPTY_POSITION, Shard
from shared.replication.directory import ReplicaReport
from shared.replication.replica import CONFIRM_WITHIN_S, POLL_S, GapKind, ShardReplica
from shared.replication.replica_set import ReplicaSet
from shared.replication.state import ReplicaState
from shared.replication.writer import ShardWriter
from tests.fakes.features_consumer import FeaturesConsumer
from tests.fakes.features_topic import FeaturesTopic
from tests.fakes.inline_thread import InlineThread
from tests.fakes.operations import INCARNATION, SCHEME, code
from tests.fakes.producer import FakeProducer, Produced
from tests.fakes.replication_log import FakeLog
from tests.fakes.virtual_time import loop_time

SHARD = 0
TOPICS = Topics()
MAX_BATCH = 8
IDS = [f"image-{number}" for number in range(12)]
UNREST_S = 20.0
PEACE_S = 10.0
KNOWN_AFTER_S = CONFIRM_WITHIN_S + 2 * POLL_S
"""What was acknowledged so long ago is in every replica that calls itself live."""


class Divergence(AssertionError):
    """A promise was broken; the text says which, and when."""


@dataclass
class Truth:
    """The fold of everything that was written, and its checksum at every offset."""

    shard: Shard = field(default_factory=Shard)
    checksums: list[str] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)

    def add(self, operation: Operation) -> None:
        self.shard.apply([operation], position=operation.offset)
        self.checksums.append(self.shard.checksum)
        self.operations.append(operation)

    def at(self, position: int) -> str:
        return self.checksums[position] if position >= 0 else Shard().checksum


class Process:
    """Something that runs until it is killed."""

    def __init__(self, *work: Coroutine[Any, Any, None]) -> None:
        self._tasks = [asyncio.create_task(one) for one in work]

    async def kill(self) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    def check(self) -> None:
        """Raise what ended it, if it ended by itself."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error


class TopicProducer(FakeProducer):
    """Writes feature records back to the topic, and tells of receipts; each send takes its time."""

    def __init__(self, world: "World") -> None:
        super().__init__()
        self._world = world

    async def send_until_acknowledged(
        self, topic: str, *, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        await asyncio.sleep(self._world.rng.uniform(0, 0.02))
        if topic == TOPICS.features:
            self._world.write_record(Produced(topic, key, value, tuple(headers)))
        elif topic == TOPICS.indexed:
            self._world.acknowledged(decode_receipt(value or b"").position)
        await asyncio.sleep(self._world.rng.uniform(0, 0.02))


class GroupConsumer(FeaturesConsumer):
    """A member of the group, or one that was thrown out of it and has not noticed: its commits are refused."""

    def __init__(self, world: "World") -> None:
        super().__init__({SHARD: world.topic}, committed=world.committed)
        self.member = True

    async def commit(self, offsets: dict[int, int]) -> bool:
        await asyncio.sleep(0)
        return self.member and await super().commit(offsets)


class Indexer:
    """An indexer process: it takes what is delivered, and looks after its claim every second."""

    def __init__(self, world: "World") -> None:
        self.consumer = GroupConsumer(world)
        self.writers: list[ShardWriter] = []
        self._world = world
        self.handler = IndexFeatures(
            topics=TOPICS,
            partitions=self.consumer,
            make_writer=self._make_writer,
            producer=TopicProducer(world),
            metrics=IndexerMetrics(CollectorRegistry()),
            max_batch=MAX_BATCH,
            now_ms=lambda: 0,
        )
        self.process = Process(self._deliver(), self._beat())

    def rebalance(self, *, owner: bool) -> None:
        self.consumer.member = owner
        self.handler.revoked({SHARD})
        self.consumer.assign([SHARD] if owner else [])

    def _make_writer(self, shard: int) -> ShardWriter:
        world = self._world
        writer = ShardWriter(shard, world.log, incarnation=INCARNATION, window=25, thread=InlineThread())
        self.writers.append(writer)
        return writer

    async def _deliver(self) -> None:
        while True:
            if SHARD in self.consumer.assigned() and (records := self.consumer.fetch(SHARD, MAX_BATCH)):
                await self.handler.index(SHARD, records)
            await asyncio.sleep(self._world.rng.uniform(0.01, 0.1))

    async def _beat(self) -> None:
        while True:
            await self.handler.heartbeat()
            await asyncio.sleep(1)


class NoDirectory:
    async def report(self, shard: int, report: ReplicaReport) -> None:
        """Nobody looks."""


class NoObserver:
    def applied(self, shard: int, batch: OperationBatch, *, live: bool) -> None: ...
    def gap(self, shard: int, kind: GapKind) -> None: ...


MakeReplica = Callable[..., ShardReplica]


class Searcher:
    """A searcher process with a replica of the one shard."""

    def __init__(self, world: "World") -> None:
        thread = InlineThread()
        self.replica = world.make_replica(
            SHARD,
            incarnation=INCARNATION,
            make_shard=Shard,
            log_=world.log,
            history=world.topic,
            thread=thread,
            observer=NoObserver(),
            clock=loop_time,
        )
        replicas = ReplicaSet(
            {SHARD: self.replica},
            name="searcher",
            log_=world.log,
            directory=NoDirectory(),  # type: ignore[arg-type]
            thread=thread,
            now_ms=lambda: 0,
        )
        self.process = Process(replicas.run())


class World:
    """Everything, and the faults. make_replica: what to build replicas with."""

    def __init__(self, seed: int, make_replica: MakeReplica = ShardReplica) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - no secret
        self.make_replica = make_replica
        self.topic = FeaturesTopic()
        self.truth = Truth()
        self.log = FakeLog()
        self.committed: dict[int, int] = {}
        self.receipts: dict[int, float] = {}
        self.calm = False
        self.log.loses_publish = lambda: not self.calm and self.rng.random() < 0.15
        self.log.loses_answer = lambda: not self.calm and self.rng.random() < 0.05
        self.log.on_append = self._accepted
        self._claimed_by = ""
        self._claim = self.log.claim
        self.log.claim = self._watched_claim  # type: ignore[method-assign]
        self._snapshots = [(self.log.snapshot(), "")]
        self._next_source = 0
        self._late: list[Operation] = []
        self.indexers = [Indexer(self), Indexer(self)]
        self.owner = self.indexers[0]
        self.owner.rebalance(owner=True)
        self.searchers = [Searcher(self), Searcher(self), Searcher(self)]

    async def live_through(self) -> None:
        """Unrest, then peace; raises Divergence where a promise does not hold."""
        background = Process(self._upload(), self._watch())
        loop = asyncio.get_running_loop()
        while loop.time() < UNREST_S:
            await self.rng.choice(self._faults)()
            await asyncio.sleep(self.rng.uniform(0.05, 1.5))
            background.check()
        await self._heal()
        await asyncio.sleep(PEACE_S)
        await background.kill()
        self._check_the_end()
        for one in [*self.indexers, *self.searchers]:
            await one.process.kill()

    # What happens at the topic

    async def _upload(self) -> None:
        """Events by the camera's clock, some of them late."""
        while not self.calm:
            event = self._late.pop(0) if self._late and self.rng.random() < 0.2 else self._event()
            if self.rng.random() < 0.15:
                self._late.append(event)
            else:
                self.write_operation(event)
            await asyncio.sleep(self.rng.uniform(0.0, 0.2))

    def _event(self) -> Operation:
        self._next_source += 1
        source = SourcePosition(offset=self._next_source, partition=SHARD)
        image_id = self.rng.choice(IDS)
        if self.rng.random() < 0.3:
            return Delete(offset=0, id=image_id, source=source, uploaded_at=1000)
        numbers = [self.rng.randint(-9, 9) or 1 for _ in range(4)]
        return Upsert(offset=0, id=image_id, source=source, uploaded_at=1000, code=code(*numbers), scheme=SCHEME)

    def write_operation(self, operation: Operation) -> None:
        self.topic.write(operation)
        self.truth.add(self.topic.newest())

    def write_record(self, record: Produced) -> None:
        self.topic.append(key=record.key or b"", value=record.value, headers=record.headers)
        self.truth.add(self.topic.newest())

    def acknowledged(self, position: int) -> None:
        self.receipts.setdefault(position, loop_time())

    # What goes wrong

    @property
    def _faults(self) -> list[Callable[[], Awaitable[None]]]:
        return [
            self._flush,
            self._remember_the_log,
            self._roll_back,
            self._roll_back,
            self._lose_the_log_for_a_while,
            self._lose_kafka_for_a_while,
            self._trim,
            self._cut,
            self._crash_the_owner,
            self._hand_over,
            self._leave_a_zombie,
            self._crash_a_searcher,
            self._compact,
        ]

    async def _flush(self) -> None:
        self.log.flush()
        self._claimed_by = ""

    async def _remember_the_log(self) -> None:
        self._snapshots.append((self.log.snapshot(), self._claimed_by))

    async def _roll_back(self) -> None:
        snapshot, self._claimed_by = self.rng.choice(self._snapshots[-3:])
        self.log.roll_back(snapshot)

    async def _lose_the_log_for_a_while(self) -> None:
        self.log.down = True
        self.log.cut()
        await asyncio.sleep(self.rng.choice([0.2, 1.0, 7.0]))
        self.log.down = False

    async def _lose_kafka_for_a_while(self) -> None:
        self._kafka(down=True)
        await asyncio.sleep(self.rng.choice([0.2, 2.0]))
        self._kafka(down=False)

    def _kafka(self, *, down: bool) -> None:
        self.topic.down = down
        for indexer in self.indexers:
            indexer.consumer.down = down

    async def _trim(self) -> None:
        self.log.trim(SHARD, keep_after=self.topic.end - self.rng.randint(0, 20))

    async def _cut(self) -> None:
        self.log.cut()

    async def _crash_the_owner(self) -> None:
        await self.owner.process.kill()
        self.indexers.remove(self.owner)
        self.owner = Indexer(self)
        self.indexers.append(self.owner)
        self.owner.rebalance(owner=True)

    async def _hand_over(self) -> None:
        for indexer in self.indexers:
            indexer.rebalance(owner=False)
        self.owner = self.rng.choice(self.indexers)
        self.owner.rebalance(owner=True)

    async def _leave_a_zombie(self) -> None:
        """The owner is thrown out of the group, and goes on for a while as if nothing had happened."""
        zombie = self.owner
        zombie.consumer.member = False
        self.owner = next(indexer for indexer in self.indexers if indexer is not zombie)
        self.owner.rebalance(owner=True)
        await asyncio.sleep(self.rng.uniform(0.1, 3))
        zombie.rebalance(owner=False)

    async def _crash_a_searcher(self) -> None:
        victim = self.rng.randrange(len(self.searchers))
        await self.searchers[victim].process.kill()
        self.searchers[victim] = Searcher(self)

    async def _compact(self) -> None:
        """Kafka compacts what is old: reported on, and behind every copy and every log that may come back."""
        heads = [known.head for snapshot, _ in self._snapshots for known in snapshot.values()]
        positions = [searcher.replica.position for searcher in self.searchers if searcher.replica.position >= 0]
        reported = next(offset for offset in range(self.topic.end + 1) if offset not in self.receipts)
        self.topic.compact(before=min([reported, self.committed.get(SHARD, 0), *heads, *positions]))

    async def _heal(self) -> None:
        self.calm = True
        self.log.down = False
        self._kafka(down=False)
        for indexer in self.indexers:
            indexer.rebalance(owner=indexer is self.owner)
        for event in self._late:
            self.write_operation(event)

    # What must hold

    async def _watched_claim(self, shard: int, *, incarnation: str, epoch: str, head_if_new: int) -> int:
        head = await self._claim(shard, incarnation=incarnation, epoch=epoch, head_if_new=head_if_new)
        self._claimed_by = epoch
        return head

    def _accepted(self, shard: int, batch: OperationBatch, epoch: str) -> None:
        if epoch != self._claimed_by:
            raise Divergence(f"an append under {epoch} was accepted after {self._claimed_by} had claimed the shard")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            now = loop_time()
            known = [position for position, heard in self.receipts.items() if heard <= now - KNOWN_AFTER_S]
            for number, searcher in enumerate(self.searchers):
                searcher.process.check()
                self._check_live(f"searcher {number} at {now:.2f} s", searcher.replica, max(known, default=-1))
            for indexer in self.indexers:
                indexer.process.check()

    def _check_live(self, who: str, replica: ShardReplica, known: int) -> None:
        if replica.state is not ReplicaState.LIVE:
            return
        if replica.index.checksum != self.truth.at(replica.position):
            raise Divergence(f"{who} holds something else at position {replica.position} than was written up to there")
        if replica.position < known:
            raise Divergence(f"{who} is live at {replica.position}, and {known} was acknowledged long ago")

    def _check_the_end(self) -> None:
        end = self.topic.end - 1
        for number, searcher in enumerate(self.searchers):
            found = (searcher.replica.state, searcher.replica.position, searcher.replica.index.checksum)
            if found != (ReplicaState.LIVE, end, self.truth.shard.checksum):
                raise Divergence(f"searcher {number} ends as {found}, not live at {end} with {self.truth.at(end)}")
        [fold] = [writer.fold for writer in self.owner.writers if writer.claimed]
        if (fold.position, fold.checksum) != (end, self.truth.shard.checksum):
            raise Divergence("the writer's fold is not what was written")
        if silent := set(range(self.topic.end)) - self.receipts.keys():
            raise Divergence(f"nobody heard what became of the operations at {sorted(silent)}")
        self.topic.compact(before=self.topic.end)
        rebuilt = Shard()
        rebuilt.apply(self.topic.operations(), position=end)
        if rebuilt.checksum != self.truth.shard.checksum:
            raise Divergence("after compaction the topic no longer holds the winners")
        assert self.truth.shard.position > EMPTY_POSITION
