"""The indexer dies at every step of claiming, appending, committing and reporting: its successor loses nothing."""

import copy
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from shared.events.operations import Operation
from shared.index.shard import Shard
from tests.fakes.operations import code, delete, upsert
from tests.faults.chance import chance
from tests.unit.indexer.bench import SHARD, TOPICS, Bench

OPERATIONS = 24

R = TypeVar("R")


class Killed(BaseException):
    """What kill -9 looks like from inside: nothing that comes after happens."""


class MortalIndexer(Bench):
    """Dies at the step of that number: before it changes something outside, or right after it, by turns."""

    def __init__(self, other: Bench, *, dies_at: int) -> None:
        super().__init__(other)
        self.steps = 0
        self.dead = False
        self._dies_at = dies_at
        self.log = copy.copy(other.log)  # the same contents, reached by a process of its own
        self.log.claim = self._mortal(self.log.claim)  # type: ignore[method-assign]
        self.log.append = self._mortal(self.log.append)  # type: ignore[method-assign]
        self.consumer.commit = self._mortal(self.consumer.commit)  # type: ignore[method-assign]
        self.producer.send_until_acknowledged = self._mortal(self._send)  # type: ignore[method-assign]

    async def live(self) -> None:
        """To the end of the topic, or to its own."""
        try:
            await self.handler.heartbeat()
            await self.deliver_all()
        except* Killed:
            self.dead = True

    async def _send(
        self, topic: str, *, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        await type(self.producer).send_until_acknowledged(self.producer, topic, key=key, value=value, headers=headers)
        if topic == TOPICS.features:
            self.topic.append(key=key or b"", value=value, headers=headers)

    def _mortal(self, act: Callable[..., Coroutine[Any, Any, R]]) -> Callable[..., Coroutine[Any, Any, R]]:
        async def acting(*args: object, **kwargs: object) -> R:
            self._step()
            result = await act(*args, **kwargs)
            self._step()
            return result

        return acting

    def _step(self) -> None:
        self.steps += 1
        if self.steps == self._dies_at:
            raise Killed


def story(rng: random.Random) -> list[Operation]:
    """Upserts and deletes of few ids, some of them overruled by what was written before."""
    return [
        delete(offset, str(rng.randrange(6)), source=source)
        if rng.random() < 0.3
        else upsert(offset, str(rng.randrange(6)), source=source, of=code(*(rng.randint(-9, 9) or 1 for _ in range(4))))
        for offset, source in enumerate(rng.sample(range(OPERATIONS), OPERATIONS))
    ]


def written() -> Bench:
    world = Bench()
    world.write(*story(chance()))
    return world


async def steps_of_a_life() -> int:
    immortal = MortalIndexer(written(), dies_at=-1)
    await immortal.live()
    return immortal.steps


async def test_a_crash_at_any_step_loses_no_operation_and_no_receipt() -> None:
    steps = await steps_of_a_life()
    assert steps > 2 * OPERATIONS
    for step in range(1, steps + 1):
        world = written()
        dead = MortalIndexer(world, dies_at=step)
        await dead.live()
        assert dead.dead, f"step {step} never came"
        successor = MortalIndexer(world, dies_at=-1)
        await successor.live()

        end = world.topic.end
        assert world.consumer.committed == {SHARD: end}, f"step {step}"
        assert await world.head() == end - 1, f"step {step}"
        reported = {receipt.position for process in (dead, successor) for receipt in process.receipts}
        assert reported == set(range(end)), f"step {step}"

        truth, copied = Shard(), Shard()
        truth.apply(world.topic.operations(), position=end - 1)
        for batch in await world.log.read(SHARD, after=-1, count=1_000):
            assert batch.previous == copied.position, f"step {step}"
            copied.apply(batch.operations, position=batch.position)
        assert (copied.position, copied.checksum) == (truth.position, truth.checksum), f"step {step}"
        assert successor.writer.fold.checksum == truth.checksum, f"step {step}"
