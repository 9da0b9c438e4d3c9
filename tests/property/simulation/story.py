"""A story: any faults in any order, with any time between them, and then peace."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from shared.replication.replica import ShardReplica
from tests.fakes.scratch import SCRATCH
from tests.property.simulation.process import Process
from tests.property.simulation.promises import Promises
from tests.property.simulation.searcher import MakeReplica
from tests.property.simulation.stepping import SteppedLoop
from tests.property.simulation.world import World

OUTAGES_S = st.sampled_from([0.2, 1.0, 2.0, 7.0])
SEARCHERS = st.integers(0, 2)
PLACES = st.integers(0, 2**20)
"""For choosing one of however many there are."""
HOURS = st.integers(-11, 11)
"""How wrong a clock may be: two of them differ by less than a day."""


class Story(RuleBasedStateMachine):
    """The faults are the rules of those that inherit. make_replica: what to build replicas with."""

    make_replica: ClassVar[MakeReplica] = ShardReplica

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory(dir=SCRATCH)
        self._runner = asyncio.Runner(loop_factory=SteppedLoop)
        self._broken = False
        self.world: World
        self.promises: Promises
        self._watching: Process

    def teardown(self) -> None:
        try:
            if not self._broken:
                self.do(self._end())
        finally:
            self._runner.close()
            self._folder.cleanup()

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Take a step of the story. Raises Divergence where a promise was broken by the end of it."""
        try:
            self._runner.run(self._do(work))
        except BaseException:
            self._broken = True
            raise

    @initialize(seed=PLACES)
    def begin(self, seed: int) -> None:
        self.do(self._begin(seed))

    @rule(seconds=st.sampled_from([0.05, 0.3, 1.0, 3.0, 10.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.do(asyncio.sleep(seconds))

    @rule(hours_ahead=HOURS)
    def heal(self, hours_ahead: int) -> None:
        """All faults end; then the unrest goes on."""
        self.do(self._heal_for_a_while(hours_ahead))

    async def _begin(self, seed: int) -> None:
        self.world = World(seed, Path(self._folder.name), type(self).make_replica)
        self.promises = Promises(self.world)
        self._watching = Process(self.promises.watch())

    async def _do(self, work: Coroutine[Any, Any, None]) -> None:
        await work
        await asyncio.sleep(self.world.around.rng.uniform(0.0, 0.5))
        self._watching.check()

    async def _heal(self) -> None:
        await self.world.heal()
        await self.promises.check_equality()

    async def _heal_for_a_while(self, hours_ahead: int) -> None:
        await self._heal()
        self.promises.check_restoring(hours_ahead=hours_ahead)
        self.world.around.calm = False

    async def _end(self) -> None:
        await self._heal()
        self.promises.check_restoring(hours_ahead=0)
        self.promises.check_rebuilding()
        await self._watching.kill()
        await self.world.end()
