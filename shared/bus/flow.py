"""Many records under way at once, a bounded number, and only what is complete committed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from shared.bus.consumer import Record
from shared.bus.ledger import OffsetLedger, Ticket
from shared.runtime.logging import get_logger

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
    """

    def __init__(self, process: Process, *, max_in_flight: int, commit_every_s: float = 0.2) -> None:
        self._process = process
        self._room = asyncio.Semaphore(max_in_flight)
        self._max_in_flight = max_in_flight
        self._commit_every_s = commit_every_s
        self._ledger = OffsetLedger()
        self._tasks = asyncio.TaskGroup()
        self._under_way: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def in_flight(self) -> int:
        return len(self._under_way)

    async def submit(self, records: Sequence[Record]) -> None:
        """Take records in, waiting for room.

        What still waits when `drain` begins, or when its partition is revoked, is left to whoever gets that next.
        """
        waiting = [(record, self._ledger.begin(record.partition, record.offset)) for record in records]
        for record, ticket in waiting:
            await self._room.acquire()
            if self._closing or ticket.void:
                self._room.release()
                continue
            task = self._tasks.create_task(self._run(record, ticket))
            self._under_way.add(task)
            task.add_done_callback(self._finished)

    def revoked(self, partitions: set[int]) -> None:
        """Forget the offsets of partitions that went away; what is under way for them ends uncommitted."""
        self._ledger.forget(partitions)

    async def run(self, commit: Commit) -> None:
        """Commit at intervals, until cancelled. The tasks of the records live as long as this call."""
        async with self._tasks:
            while True:
                await asyncio.sleep(self._commit_every_s)
                await self._commit(commit)

    async def drain(self, commit: Commit, *, within_s: float) -> None:
        """Take nothing more, wait for what is under way, commit it. Gives both up in time, as when Kafka is gone."""
        self._closing = True
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=within_s)
            if late:
                log.warning("drain_incomplete", left=len(late), within_s=within_s)
        try:
            async with asyncio.timeout(_LAST_COMMIT_S):
                await self._commit(commit)
        except TimeoutError:
            log.warning("last_commit_failed", within_s=_LAST_COMMIT_S)

    async def _run(self, record: Record, ticket: Ticket) -> None:
        try:
            await self._process(record)
        except LeftForLater:
            self._closing = True
        else:
            self._ledger.done(ticket)

    def _finished(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception():  # the others are cancelled now, and nothing more can be begun
            self._closing = True
        self._under_way.discard(task)
        self._room.release()

    async def _commit(self, commit: Commit) -> None:
        offsets = self._ledger.committable()
        if offsets and await commit(offsets):
            self._ledger.committed(offsets)
