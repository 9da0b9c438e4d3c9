"""Clocks are set by hours, and whole days are slept through."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.simulation.story import HOURS, PLACES, Story


class ClockFaults(Story):
    @rule(number=PLACES, hours_ahead=HOURS)
    def set_a_clock(self, number: int, hours_ahead: int) -> None:
        self.do(self._set(number, hours_ahead))

    @rule(days=st.sampled_from([0.5, 1, 3, 6]))
    def sleep_for_days(self, days: float) -> None:
        """All machines are suspended. No operation stays under way for so long."""
        self.do(self._sleep(days))

    async def _set(self, number: int, hours_ahead: int) -> None:
        world = self.world
        clocks = [each.clock for each in [*world.indexers, *world.searchers]] + [world.around.extractor_clock]
        clocks[number % len(clocks)].show(hours_ahead=hours_ahead)

    async def _sleep(self, days: float) -> None:
        await self._heal()
        self.world.around.now_ms.sleep(days)
        self.world.around.calm = False
