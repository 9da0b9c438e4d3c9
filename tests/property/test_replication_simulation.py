"""Whatever happens to Redis, Kafka, the store, the clocks and the processes: all copies become what was written.

A failure prints the steps that lead to it, and a line with which Hypothesis takes them again.
"""

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from shared.events.operations import OperationBatch
from shared.replication.replica import ShardReplica
from tests.property.effort import effort
from tests.property.simulation.faults.clocks import ClockFaults
from tests.property.simulation.faults.disks import DiskFaults
from tests.property.simulation.faults.power import PowerFaults
from tests.property.simulation.faults.processes import ProcessFaults
from tests.property.simulation.faults.redis import RedisFaults
from tests.property.simulation.truth import Divergence


class Afterimage(RedisFaults, PowerFaults, ProcessFaults, DiskFaults, ClockFaults):
    """All faults at once."""


TestAfterimage = Afterimage.TestCase
TestAfterimage.settings = effort(examples=40)


class Gullible(ShardReplica):
    """Takes every batch for the next one: no gap is ever seen."""

    async def _apply(self, batch: OperationBatch) -> bool:
        return await super()._apply(
            OperationBatch(
                v=batch.v,
                incarnation=batch.incarnation,
                previous=min(batch.previous, self.position),
                position=batch.position,
                operations=batch.operations,
            )
        )


class Forgetful(ShardReplica):
    """Never asks Kafka what the log has lost."""

    async def _read_history(self) -> None:
        return


class Deaf(ShardReplica):
    """Believes that what it heard is all there is."""

    async def _catch_up(self) -> None:
        self._confirmed_at = self._clock()
        if self.position < 0:
            await super()._catch_up()


@pytest.mark.parametrize("broken", [Gullible, Forgetful, Deaf])
def test_the_simulation_finds_what_is_wrong_with_a_replica(broken: type[ShardReplica]) -> None:
    class Broken(Afterimage):
        make_replica = broken

    with pytest.raises(Divergence):
        run_state_machine_as_test(Broken, settings=settings(effort(examples=25), phases=[Phase.generate]))


def test_a_seed_gives_the_same_story_every_time() -> None:
    assert told(7) == told(7) != told(8)


def told(seed: int) -> dict[int, float]:
    """When each receipt of a story was sent."""
    story = Afterimage()
    story.begin(seed=seed)
    story.crash_the_owner(keeps_disk=False)
    story.leave_a_zombie(seconds=3.0)
    story.heal(hours_ahead=0)
    story.teardown()
    return story.world.around.receipts
