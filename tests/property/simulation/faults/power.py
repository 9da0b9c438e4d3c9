"""Everything is switched off for days."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.simulation.faults.kafka import KafkaFaults
from tests.property.simulation.indexer import Indexer
from tests.property.simulation.story import HOURS


class PowerFaults(KafkaFaults):
    @rule(days=st.sampled_from([0.1, 3, 8]), keep_disks=st.booleans(), hours_ahead=HOURS)
    def switch_off(self, days: float, keep_disks: bool, hours_ahead: int) -> None:
        """All but Kafka, which compacts meanwhile. Then Redis is empty, and the clocks may be wrong.

        No operation stays under way for so long.
        """
        self.do(self._switch_off(days, keep_disks, hours_ahead))

    async def _switch_off(self, days: float, keep_disks: bool, hours_ahead: int) -> None:
        world, around = self.world, self.world.around
        await self._heal()
        for one in [*world.indexers, *world.searchers]:
            await one.process.kill()
        world.forget_the_log()
        around.now_ms.sleep(days)
        await self._compact([])
        disks = [one.disk if keep_disks else around.disk() for one in [*world.indexers, *world.searchers]]
        world.indexers = [Indexer(around, disk) for disk in disks[:2]]
        world.searchers = [world.start_searcher(disk) for disk in disks[2:]]
        for one in [*world.indexers, *world.searchers]:
            one.clock.show(hours_ahead=hours_ahead)
        world.owner = world.indexers[0]
        world.owner.rebalance(owner=True)
        around.calm = False
