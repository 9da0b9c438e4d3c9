"""All processes, and what is between them."""

import asyncio
import random
from pathlib import Path

from shared.replication.replica import ShardReplica
from tests.property.simulation.indexer import Indexer
from tests.property.simulation.process import Process
from tests.property.simulation.searcher import MakeReplica, Searcher
from tests.property.simulation.surroundings import Surroundings
from tests.property.simulation.uploads import Uploads


class World:
    """make_replica: what to build replicas with. Build it on a SteppedLoop."""

    def __init__(self, seed: int, folder: Path, make_replica: MakeReplica = ShardReplica) -> None:
        self.around = around = Surroundings(random.Random(seed), folder)  # noqa: S311 - no secret
        asyncio.get_running_loop().latency = lambda: around.rng.uniform(0, 0.1)  # type: ignore[attr-defined]
        self.make_replica = make_replica
        self.uploads = Uploads(around)
        self.indexers = [Indexer(around, around.disk()) for _ in range(2)]
        self.owner = self.indexers[0]
        self.owner.rebalance(owner=True)
        self.searchers = [self.start_searcher(around.disk()) for _ in range(3)]
        self._background = Process(self.uploads.run())
        self._remembered = [(around.log.snapshot(), "")]

    def start_searcher(self, disk: Path) -> Searcher:
        return Searcher(self.around, disk, self.make_replica)

    async def end(self) -> None:
        for one in [*self.indexers, *self.searchers]:
            await one.process.kill()
        await self._background.kill()

    async def heal(self) -> None:
        """Nothing goes wrong any more: what is written by now must be everywhere soon."""
        around = self.around
        around.calm = True
        around.log.down = around.store.down = around.store.full = around.disk_full = False
        self.set_kafka(down=False)
        for indexer in self.indexers:
            indexer.rebalance(owner=indexer is self.owner)
        self.uploads.write_all_that_is_late()

    def set_kafka(self, *, down: bool) -> None:
        self.around.topic.down = down
        for indexer in self.indexers:
            indexer.consumer.down = down

    @property
    def remembered_heads(self) -> list[int]:
        """Where the logs end that may come back."""
        return [known.head for snapshot, _ in self._remembered for known in snapshot.values()]

    def remember_the_log(self) -> None:
        self._remembered.append((self.around.log.snapshot(), self.around.claimed_by))

    def roll_the_log_back(self, back: int) -> None:
        snapshot, self.around.claimed_by = self._remembered[-back:][0]
        self.around.log.roll_back(snapshot)

    def forget_the_log(self) -> None:
        self.around.log.flush()
        self.around.claimed_by = ""
        self._remembered = [(self.around.log.snapshot(), "")]
