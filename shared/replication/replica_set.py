"""All replicas of one process: one subscription, one thread for the shards, one report each second."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

import msgspec

from shared.index.shard import Shard
from shared.index.statistics import ShardStatistics
from shared.replication.directory import ReplicaDirectory, ReplicaReport
from shared.replication.log import LogUnavailable, ReplicationLog
from shared.replication.replica import ShardReplica
from shared.replication.state import ReplicaLag, ReplicaState
from shared.runtime.executor import SingleThread
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_RETRY_S = 0.5
_REPORT_S = 1.0

P = ParamSpec("P")
R = TypeVar("R")


class ReplicaSet:
    """Keeps the replicas current, and lets them be searched together.

    name: this process in the directory.
    """

    def __init__(
        self,
        replicas: Mapping[int, ShardReplica],
        *,
        name: str,
        log_: ReplicationLog,
        directory: ReplicaDirectory,
        thread: SingleThread,
    ) -> None:
        self._replicas = replicas
        self._name = name
        self._log = log_
        self._directory = directory
        self._thread = thread

    @property
    def positions(self) -> dict[int, int]:
        return {shard: replica.position for shard, replica in self._replicas.items()}

    @property
    def states(self) -> dict[int, ReplicaState]:
        return {shard: replica.state for shard, replica in self._replicas.items()}

    @property
    def lags(self) -> dict[int, ReplicaLag]:
        return {shard: replica.lag for shard, replica in self._replicas.items()}

    @property
    def shards(self) -> dict[int, Shard]:
        """The shards themselves: to be read in their thread, through `read`."""
        return {shard: replica.index for shard, replica in self._replicas.items()}

    def not_live(self) -> str | None:
        """Readiness: every replica is LIVE."""
        behind = {shard: str(state) for shard, state in self.states.items() if state is not ReplicaState.LIVE}
        if not behind:
            return None
        trouble = next((each.trouble for each in self._replicas.values() if each.trouble), None)
        return f"replicas are not live: {behind}" + (f" ({trouble})" if trouble else "")

    async def live(self) -> None:
        """Return when all replicas are LIVE."""
        while self.not_live():  # noqa: ASYNC110 - being LIVE also depends on the clock, which no event announces
            await asyncio.sleep(0.05)

    async def reach(self, positions: Mapping[int, int]) -> None:
        """Return when every shard named has reached its position. Raises KeyError for a shard that is not here."""
        for shard, position in positions.items():
            await self._replicas[shard].wait_for(position)

    async def read(
        self, function: Callable[Concatenate[Mapping[int, Shard], P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Call `function` with the shards, in the thread that alone changes them."""
        return await self._thread.run_urgently(function, self.shards, *args, **kwargs)

    async def run(self) -> None:
        """Keep all replicas current until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for replica in self._replicas.values():
                tasks.create_task(replica.run())
            tasks.create_task(self._follow())
            tasks.create_task(self._report())

    async def _follow(self) -> None:
        """Hand every published batch to its replica. What is lost here, the replicas find by themselves."""
        loop = asyncio.get_running_loop()
        while True:
            again_at = loop.time() + _RETRY_S
            try:
                async with self._log.follow(sorted(self._replicas)) as batches:
                    async for shard, batch in batches:
                        self._replicas[shard].hear(batch)
            except LogUnavailable as error:
                log.warning("following_interrupted", error=str(error))
            await asyncio.sleep(again_at - loop.time())  # at once, where it went well for longer than that

    async def _report(self) -> None:
        while True:
            try:
                for shard, replica in self._replicas.items():
                    await self._directory.report(shard, await self._describe(replica))
            except LogUnavailable as error:
                log.debug("report_failed", error=str(error))
            await asyncio.sleep(_REPORT_S)

    async def _describe(self, replica: ShardReplica) -> ReplicaReport:
        def describe(index: Shard) -> tuple[int, str, ShardStatistics]:
            return index.position, index.checksum, index.statistics

        position, checksum, statistics = await self._thread.run(describe, replica.index)
        return ReplicaReport(
            replica=self._name,
            state=replica.state,
            position=position,
            checksum=checksum,
            **msgspec.structs.asdict(statistics),
        )
