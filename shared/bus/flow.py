"""Many records under way at once, a bounded number, and only what is complete committed."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from shared.bus.consumer import Record
from shared.bus.ledger import OffsetLedger, Ticket
from shared.runtime.logging import get_logger, position

log = get_logger(__name__)

_LAST_COMMIT_S = 5.0

Process = Callable[[Record], Awaitable[None]]
Commit = Callable[[dict[int, int]], Awaitable[bool]]


class LeftForLater(Exception):
    """The worker is about to stop, and this record is to be delivered again after it."""


class Flow:
    """Processes each record of one subscription in a task of its own.

    process: must end only when the record is dealt with for good: acknowledged, rejected or answered. After it raises
    LeftForLater nothing more is begun. What else it raises is a defect, and ends the worker. Order is not kept; where
    it matters, the upload offset decides.

    finishes_begun: what has begun when its partition goes away is finished here, and not delivered again. That suits
    answers: two are worth no more than one, and a crash just then costs what its caller can ask for again.
    """

    def __init__(
        self, process: Process, *, max_in_flight: int, finishes_begun: bool = False, commit_every_s: float = 0.2
    ) -> None:
        self._process = process
        self._room = asyncio.Semaphore(max_in_flight)
        self._finishes_begun = finishes_begun
        self._commit_every_s = commit_every_s
        self._ledger = OffsetLedger()
        self._tasks = asyncio.TaskGroup()
        self._under_way: dict[asyncio.Task[None], tuple[int, Ticket]] = {}
        """Task → the partition of its record, and what stands for it in the ledger."""
        self._closing = False

    @property
    def in_flight(self) -> int:
        return len(self._under_way)

    @property
    def oldest(self) -> tuple[int, int] | None:
        """(partition, offset) of what began first and is still under way."""
        return next(((partition, ticket.offset) for partition, ticket in self._under_way.values()), None)

    async def submit(self, records: Sequence[Record]) -> None:
        """Take records in, waiting for room.

        What still waits when the flow is closed, or when its partition is released, is left to whoever gets that next.
        """
        waiting = [(record, self._ledger.begin(record.partition, record.offset)) for record in records]
        for record, ticket in waiting:
            await self._room.acquire()
            if self._closing or ticket.void:
                self._room.release()
                continue
            task = self._tasks.create_task(self._run(record, ticket))
            self._under_way[task] = (record.partition, ticket)
            task.add_done_callback(self._finished)

    async def release(self, partitions: Collection[int], commit: Commit) -> None:
        """Let partitions go that are about to belong to others: commit what is complete, forget the rest."""
        for partition, ticket in self._under_way.values():
            if self._finishes_begun and partition in partitions:
                self._ledger.done(ticket)
        complete = self._ledger.committable()
        self._ledger.forget(partitions)
        await self._last_commit(commit, {part: offset for part, offset in complete.items() if part in partitions})

    async def run(self, commit: Commit) -> None:
        """Commit at intervals, until cancelled. The tasks of the records live as long as this call."""
        async with self._tasks:
            while True:
                await asyncio.sleep(self._commit_every_s)
                await self._commit(commit, self._ledger.committable())

    def close(self) -> None:
        """Take nothing more."""
        self._closing = True

    async def finish(self, *, within_s: float) -> None:
        """Wait for what is under way."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=within_s)
            if late:
                log.warning("drain_incomplete", left=len(late), within_s=within_s)

    async def drain(self, commit: Commit, *, within_s: float) -> None:
        """Take nothing more, wait for what is under way, commit it. Gives both up in time, as when Kafka is gone."""
        self.close()
        await self.finish(within_s=within_s)
        await self._last_commit(commit, self._ledger.committable())

    async def _run(self, record: Record, ticket: Ticket) -> None:
        position.set((record.topic, record.partition, record.offset))  # in this task, which is the record's own
        try:
            await self._process(record)
        except LeftForLater:
            self._closing = True
        else:
            self._ledger.done(ticket)

    def _finished(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception():  # the others are cancelled now, and nothing more can be begun
            self._closing = True
        del self._under_way[task]
        self._room.release()

    async def _commit(self, commit: Commit, offsets: dict[int, int]) -> None:
        if offsets and await commit(offsets):
            self._ledger.committed(offsets)

    async def _last_commit(self, commit: Commit, offsets: dict[int, int]) -> None:
        try:
            async with asyncio.timeout(_LAST_COMMIT_S):
                await self._commit(commit, offsets)
        except TimeoutError:
            log.warning("last_commit_failed", within_s=_LAST_COMMIT_S)
