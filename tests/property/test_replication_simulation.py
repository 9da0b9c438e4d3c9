"""Whatever happens to Redis, to the indexers and to the searchers: all copies become what was written."""

import pytest

from shared.events.operations import OperationBatch
from shared.replication.replica import ShardReplica
from tests.fakes.virtual_time import run_virtual
from tests.property.simulation import Divergence, MakeReplica, World

SEEDS = range(50)


def live_through(seed: int, make_replica: MakeReplica = ShardReplica) -> None:
    async def story() -> None:
        await World(seed, make_replica).live_through()

    run_virtual(story())


def divergence(make_replica: MakeReplica) -> str | None:
    """The first thing that the simulation finds wrong with replicas that are built so."""
    for seed in SEEDS:
        try:
            live_through(seed, make_replica)
        except Divergence as found:
            return f"seed {seed}: {found}"
    return None


@pytest.mark.parametrize("seed", SEEDS)
def test_all_copies_become_what_was_written(seed: int) -> None:
    live_through(seed)


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
    assert divergence(broken)


def test_a_seed_gives_the_same_story_every_time() -> None:
    async def story() -> list[tuple[int, float]]:
        world = World(7)
        await world.live_through()
        return sorted(world.receipts.items())

    assert run_virtual(story()) == run_virtual(story())
