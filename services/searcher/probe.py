"""Repeats a few of the real queries exactly, in the background, to know how much the searches find."""

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from services.searcher.effort import SearchEffort
from services.searcher.metrics import SearcherMetrics
from shared.index.query import Query
from shared.index.recall import sample_recall
from shared.replication.replica_set import ReplicaSet

_WAITING = 4
"""Queries that wait to be repeated: beyond that, none is taken."""
_NICE = 19


class RecallProbe:
    """Takes a share of the queries, and tells the effort what it measured. Belongs to one event loop.

    A query is searched for again, then compared with all rows of the segments that a graph led through, in a thread of
    the lowest priority: who asked it has had the answer, and those who ask meanwhile come first.
    """

    def __init__(
        self,
        replicas: ReplicaSet,
        effort: SearchEffort,
        metrics: SearcherMetrics,
        *,
        share: float,
        chance: Callable[[], float],
    ) -> None:
        """share: of the queries, 0 to 1. chance: numbers from 0 to below 1."""
        self._replicas = replicas
        self._effort = effort
        self._metrics = metrics
        self._share = share
        self._chance = chance
        self._waiting: asyncio.Queue[Query] = asyncio.Queue(_WAITING)

    def offer(self, query: Query) -> None:
        """Take a query that was answered, perhaps."""
        if query.exact or self._chance() >= self._share:
            return
        try:
            self._waiting.put_nowait(query)
        except asyncio.QueueFull:
            self._metrics.probes.labels("skipped").inc()

    async def run(self) -> None:
        """Repeat what was taken, until cancelled."""
        self._metrics.effort.set(self._effort.candidates)
        with ThreadPoolExecutor(1, thread_name_prefix="probe", initializer=_yield_to_others) as thread:
            while True:
                await self._repeat(await self._waiting.get(), thread)

    async def _repeat(self, query: Query, thread: ThreadPoolExecutor) -> None:
        try:
            sample = await self._replicas.read(sample_recall, query)
        except ValueError:  # the index has begun anew, with codes of another length
            return
        recall = await asyncio.get_running_loop().run_in_executor(thread, sample.measure)
        if recall is None:
            return
        self._effort.learn(recall)
        self._metrics.probes.labels("measured").inc()
        self._metrics.recall.set(self._effort.recall or 0.0)
        self._metrics.effort.set(self._effort.candidates)


def _yield_to_others() -> None:
    if sys.platform == "linux":  # where a thread has a priority of its own
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
