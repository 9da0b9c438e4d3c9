"""Redis forgets, goes back, is away, and loses those who listen."""

import asyncio

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.property.simulation.story import OUTAGES_S, Story
from tests.property.simulation.surroundings import SHARD


class RedisFaults(Story):
    @rule()
    def flush_redis(self) -> None:
        self.do(self._flush())

    @rule()
    def remember_the_log(self) -> None:
        self.do(self._remember())

    @rule(back=st.integers(1, 3))
    def roll_redis_back(self, back: int) -> None:
        """As a restart from an older file does, or a failover to a copy that was behind."""
        self.do(self._roll_back(back))

    @rule(seconds=OUTAGES_S)
    def lose_redis(self, seconds: float) -> None:
        self.do(self._lose(seconds))

    @rule(behind=st.integers(0, 20))
    def trim_the_log(self, behind: int) -> None:
        self.do(self._trim(behind))

    @rule()
    def cut_subscriptions(self) -> None:
        self.do(self._cut())

    async def _flush(self) -> None:
        self.world.around.log.flush()
        self.world.around.claimed_by = ""

    async def _remember(self) -> None:
        self.world.remember_the_log()

    async def _roll_back(self, back: int) -> None:
        self.world.roll_the_log_back(back)

    async def _lose(self, seconds: float) -> None:
        log = self.world.around.log
        log.down = True
        log.cut()
        await asyncio.sleep(seconds)
        log.down = False

    async def _trim(self, behind: int) -> None:
        around = self.world.around
        around.log.trim(SHARD, keep_after=around.topic.end - behind)

    async def _cut(self) -> None:
        self.world.around.log.cut()
