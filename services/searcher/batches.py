"""Queries that come while others are searched for are searched for together: that takes less time for each."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.index.query import Query
from shared.index.search import search_shards
from shared.index.segment import Match
from shared.replication.replica_set import ReplicaSet
from shared.runtime import tracing

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_MOST = 64
"""Queries in a batch: what is to be indexed waits for it."""

_Waiting = tuple[Query, asyncio.Future[list[Match]], "Span | None"]


class SearchBatches:
    """As many queries wait here as its callers let in. One that comes while nothing is searched for does not wait."""

    def __init__(self, replicas: ReplicaSet) -> None:
        self._replicas = replicas
        self._waiting: list[_Waiting] = []
        self._searching: asyncio.Task[None] | None = None

    async def search(self, query: Query) -> list[Match]:
        """Raises ValueError where the code is not as long as those in the index."""
        answer: asyncio.Future[list[Match]] = asyncio.get_running_loop().create_future()
        self._waiting.append((query, answer, tracing.current()))
        if self._searching is None or self._searching.done():
            # A task of its own, so that a caller who gives up leaves the others' search alone.
            self._searching = asyncio.create_task(self._search_till_none_wait())
        return await answer

    async def _search_till_none_wait(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            await self._search([waiting for waiting in batch if not waiting[1].done()])

    async def _search(self, batch: Sequence[_Waiting]) -> None:
        try:
            with tracing.batch("search batch", [span for *_, span in batch]):
                found = await self._replicas.read(search_shards, [query for query, *_ in batch])
        except Exception as error:  # noqa: BLE001 - each caller is told of what its own query did
            if len(batch) > 1:
                for waiting in batch:
                    await self._search([waiting])
            elif batch and not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for (_, answer, _), matches in zip(batch, found, strict=True):
            if not answer.done():
                answer.set_result(matches)
