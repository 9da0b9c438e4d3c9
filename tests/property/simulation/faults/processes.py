"""Processes die at any step, lose their partitions, and go on without knowing it."""

import asyncio

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.simulation.indexer import Indexer
from tests.property.simulation.story import PLACES, SEARCHERS, Story

KEEPS_DISK = st.booleans()
"""Whether the successor runs on the same machine, and finds the segments that are there."""


class ProcessFaults(Story):
    @rule(keeps_disk=KEEPS_DISK)
    def crash_the_owner(self, keeps_disk: bool) -> None:
        self.do(self._crash_owner(keeps_disk))

    @rule(number=SEARCHERS, keeps_disk=KEEPS_DISK)
    def crash_a_searcher(self, number: int, keeps_disk: bool) -> None:
        self.do(self._crash_searcher(number, keeps_disk))

    @rule(number=PLACES)
    def hand_over(self, number: int) -> None:
        self.do(self._hand_over(number))

    @rule(seconds=st.sampled_from([0.1, 1.0, 3.0]))
    def leave_a_zombie(self, seconds: float) -> None:
        """The owner is thrown out of the group, and goes on for a while as if nothing had happened."""
        self.do(self._leave_zombie(seconds))

    async def _crash_owner(self, keeps_disk: bool) -> None:
        world, dead = self.world, self.world.owner
        await dead.process.kill()
        world.indexers.remove(dead)
        world.owner = Indexer(world.around, dead.disk if keeps_disk else world.around.disk())
        world.indexers.append(world.owner)
        world.owner.rebalance(owner=True)

    async def _crash_searcher(self, number: int, keeps_disk: bool) -> None:
        dead = self.world.searchers[number]
        await dead.process.kill()
        disk = dead.disk if keeps_disk else self.world.around.disk()
        self.world.searchers[number] = self.world.start_searcher(disk)

    async def _hand_over(self, number: int) -> None:
        indexers = self.world.indexers
        for indexer in indexers:
            indexer.rebalance(owner=False)
        self.world.owner = indexers[number % len(indexers)]
        self.world.owner.rebalance(owner=True)

    async def _leave_zombie(self, seconds: float) -> None:
        zombie = self.world.owner
        zombie.consumer.member = False
        self.world.owner = next(indexer for indexer in self.world.indexers if indexer is not zombie)
        self.world.owner.rebalance(owner=True)
        await asyncio.sleep(seconds)
        zombie.rebalance(owner=False)
