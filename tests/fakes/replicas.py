"""Replicas that a test fills by hand."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from shared.events.operations import Operation
from shared.index.shard import Shard

R = TypeVar("R")


class FakeReplicas:
    """Takes the place of a ReplicaSet. problem: what readiness says."""

    def __init__(self, shards: int = 2) -> None:
        self.shards = {number: Shard() for number in range(shards)}
        self.problem: str | None = None
        self._moved = asyncio.Condition()

    @property
    def positions(self) -> dict[int, int]:
        return {number: shard.position for number, shard in self.shards.items()}

    def not_live(self) -> str | None:
        return self.problem

    async def live(self) -> None:
        while self.problem:  # noqa: ASYNC110 - as the real ones do
            await asyncio.sleep(0.05)

    async def apply(self, shard: int, *operations: Operation) -> None:
        self.shards[shard].apply(operations, position=operations[-1].offset)
        async with self._moved:
            self._moved.notify_all()

    async def reach(self, positions: Mapping[int, int]) -> None:
        async with self._moved:
            await self._moved.wait_for(
                lambda: all(self.shards[shard].position >= position for shard, position in positions.items())
            )

    async def read(self, function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        return function(self.shards, *args, **kwargs)
