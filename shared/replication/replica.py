"""A replica of one shard: hears batches, notices what it did not hear, and repairs itself.

EMPTY → LOADING → CATCHING_UP → LIVE, and from there to GAP or STALE and back. Only LIVE answers for the present.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from enum import StrEnum
from typing import Protocol

from shared.events.operations import Operation, OperationBatch
from shared.index.shard import Shard
from shared.replication.log import LogHead, LogUnavailable, ReplicationLog
from shared.replication.state import ReplicaLag, ReplicaState
from shared.runtime import tracing
from shared.runtime.executor import SingleThread
from shared.runtime.logging import get_logger

log = get_logger(__name__)

POLL_S = 1.0
"""The log is read at least this often, whatever the channel says: a subscription can die in silence."""
CONFIRM_WITHIN_S = 5.0
"""A replica that could not compare itself with the log's head for so long does not know whether it is current."""
_AT_LEAST = 16
"""Operations between two looks at whether a search waits: a fifth of a millisecond."""
_HEARD_BATCHES = 1024
_READ_BATCHES = 64
_WORTH_LOADING = 10_000
"""Offsets that are rather read from Kafka than loaded from a snapshot."""


class GapKind(StrEnum):
    """How a gap was found."""

    HEARD = "heard"
    """A published batch did not extend the position."""
    OVERRUN = "overrun"
    """More batches were published than could wait here."""
    TRIMMED = "trimmed"
    """The log begins beyond the position."""
    TAIL = "tail"
    """The log's head is beyond the position, and the log does not hold what is between."""


class History(Protocol):
    """Where a shard can be read from when Redis cannot tell: Kafka."""

    def read(self, shard: int, *, after: int, incarnation: str) -> AsyncIterator[OperationBatch]:
        """Batches from the position `after` to the present end. Raises HistoryUnavailable."""


class Snapshots(Protocol):
    """Where a shard can be had from without folding all of it: the segment store."""

    async def restore(self, shard: int, *, incarnation: str, beyond: int) -> Shard | None:
        """A shard at a position beyond that one; None where there is none, or none can be had for now."""


class HistoryUnavailable(Exception):
    """The history cannot be read for now: try again."""


class ReplicaObserver(Protocol):
    """What is worth counting."""

    def applied(self, shard: int, batch: OperationBatch, *, live: bool) -> None: ...
    def gap(self, shard: int, kind: GapKind) -> None: ...
    def unavailable(self, shard: int, source: str) -> None:
        """Nothing can be read for now. source: log (Redis) or history (Kafka)."""


class _IncarnationChanged(Exception):
    """What was heard counts in another log than this copy."""


class ShardReplica:
    """One copy of one shard. `run` keeps it current; everything else may be called at any time from the loop.

    incarnation: names the log that offsets count in, as far as this process knows; what the log says wins.
    make_shard: gives an empty shard. thread: the one in which all shards of this process are changed and searched.
    clock: seconds, monotonic. snapshots: None where nothing is sealed.
    """

    def __init__(
        self,
        shard: int,
        *,
        incarnation: str,
        make_shard: Callable[[], Shard],
        log_: ReplicationLog,
        history: History,
        thread: SingleThread,
        observer: ReplicaObserver,
        clock: Callable[[], float],
        snapshots: Snapshots | None = None,
    ) -> None:
        self.shard = shard
        self.index = make_shard()
        self.incarnation = incarnation
        self._make_shard = make_shard
        self._log = log_
        self._history = history
        self._thread = thread
        self._observer = observer
        self._clock = clock
        self._snapshots = snapshots
        self.trouble: str | None = None
        """Why it could not catch up, the last time that it tried."""
        self._state = ReplicaState.EMPTY
        self._heard: asyncio.Queue[OperationBatch] = asyncio.Queue(_HEARD_BATCHES)
        self._overrun = False
        self._confirmed_at = float("-inf")
        self._began_at = clock()
        self._head = self.index.position
        """Where the log ends, as far as was heard."""
        self._moved = asyncio.Condition()
        self._looks = 0
        self._loading = False

    @property
    def position(self) -> int:
        return self.index.position

    @property
    def state(self) -> ReplicaState:
        if self._state is ReplicaState.LIVE and self._clock() - self._confirmed_at > CONFIRM_WITHIN_S:
            return ReplicaState.STALE
        return self._state

    @property
    def lag(self) -> ReplicaLag:
        return ReplicaLag(
            offsets=max(0, self._head - self.position),
            seconds=self._clock() - max(self._confirmed_at, self._began_at),
        )

    def progress(self) -> tuple[int, int] | None:
        """What changes as long as the replica does anything; None while it loads a snapshot, which takes any time."""
        return None if self._loading else (self._looks, self.position)

    def hear(self, batch: OperationBatch) -> None:
        """Take a published batch. Never blocks: what finds no room is read from the log later."""
        if batch.incarnation == self.incarnation:
            self._head = max(self._head, batch.position)
        try:
            self._heard.put_nowait(batch)
        except asyncio.QueueFull:
            self._overrun = True

    async def wait_for(self, position: int) -> None:
        """Return when the replica has reached `position`."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.position >= position)

    async def run(self) -> None:
        """Keep the copy current until cancelled."""
        self._state = ReplicaState.LOADING
        while True:
            self._looks += 1
            try:
                await self._catch_up()
                self.trouble = None
                await self._listen()
            except (LogUnavailable, HistoryUnavailable) as error:
                self.trouble = str(error)
                log.warning("replica_cannot_catch_up", shard=self.shard, position=self.position, error=str(error))
                self._observer.unavailable(self.shard, "log" if isinstance(error, LogUnavailable) else "history")
                await asyncio.sleep(POLL_S)
            except _IncarnationChanged:
                continue

    async def _listen(self) -> None:
        """Apply what is heard, until it is time to compare with the log again, or something is missing."""
        until = self._clock() + POLL_S
        while (left := until - self._clock()) > 0:
            if self._overrun:
                self._overrun = False
                self._observer.gap(self.shard, GapKind.OVERRUN)
                return
            try:
                async with asyncio.timeout(left):
                    batch = await self._heard.get()
            except TimeoutError:
                return
            if not await self._apply(batch):
                self._found_gap(GapKind.HEARD)
                return

    async def _catch_up(self) -> None:
        asked_at = self._clock()
        head = await self._log.head(self.shard)
        if head is None:
            await self._load_without_log()
            return
        self._head = head.head
        if head.incarnation != self.incarnation:
            await self._begin(head)
        elif self._state is ReplicaState.LOADING:
            self._state = ReplicaState.CATCHING_UP
        await self._read_log()
        if head.head > self.position:
            self._found_gap(GapKind.TAIL)
            await self._read_history()
        elif self._state is ReplicaState.CATCHING_UP or head.head < self.position:
            # A log that began anew, or was rolled back, does not reach the present: only Kafka tells where that is.
            await self._read_history()
        if head.head <= self.position:
            self._confirmed_at = asked_at
            if self._state is not ReplicaState.LIVE:
                log.info("replica_live", shard=self.shard, position=self.position, rows=len(self.index))
            self._state = ReplicaState.LIVE

    async def _begin(self, head: LogHead) -> None:
        """Start over on another log: positions of different incarnations do not compare."""
        log.warning("replica_starts_over", shard=self.shard, was=self.incarnation, now=head.incarnation)
        self.index = self._make_shard()
        self.incarnation = head.incarnation
        self._state = ReplicaState.CATCHING_UP

    async def _load_without_log(self) -> None:
        """Redis has nothing: be as current as Kafka allows, and not LIVE, with no head to compare with."""
        if self._state is not ReplicaState.LIVE:
            self._state = ReplicaState.CATCHING_UP
            await self._read_history()

    async def _read_log(self) -> None:
        """Apply what the log holds beyond the position, filling from Kafka what it no longer holds."""
        while batches := await self._log.read(self.shard, after=self.position, count=_READ_BATCHES):
            began = self.position
            for batch in batches:
                if not await self._apply(batch):
                    self._found_gap(GapKind.TRIMMED)
                    await self._read_history()
            if self.position == began:
                return

    async def _load_snapshot(self) -> None:
        """Begin with what was sealed, where that is far ahead."""
        if self._snapshots is None:
            return
        beyond = self.position + _WORTH_LOADING if self.position >= 0 else self.position
        self._loading = True
        try:
            restored = await self._snapshots.restore(self.shard, incarnation=self.incarnation, beyond=beyond)
        finally:
            self._loading = False
        if restored is not None and restored.position > self.position:
            self.index = restored
            async with self._moved:
                self._moved.notify_all()

    async def _read_history(self) -> None:
        await self._load_snapshot()
        async for batch in self._history.read(self.shard, after=self.position, incarnation=self.incarnation):
            await self._apply(batch)

    async def _apply(self, batch: OperationBatch) -> bool:
        """Move on by a batch, as far as it is new. False where it begins beyond the position."""
        if batch.incarnation != self.incarnation:
            raise _IncarnationChanged
        if batch.position <= self.position:
            return True
        if batch.previous > self.position:
            return False
        operations: Sequence[Operation] = [each for each in batch.operations if each.offset > self.position]
        index = self.index
        with tracing.completing("apply", self._traces(batch), {"afterimage.shard": self.shard}):
            while self.position < batch.position:
                operations = await self._thread.run(self._apply_some, index, operations, batch.position)
        self._observer.applied(self.shard, batch, live=self._state is ReplicaState.LIVE)
        async with self._moved:
            self._moved.notify_all()
        return True

    def _traces(self, batch: OperationBatch) -> Sequence[bytes]:
        """Those of operations that are new here; what is read after a restart was searchable long ago, and is told."""
        if not batch.traces or self._state not in (ReplicaState.LIVE, ReplicaState.GAP):
            return ()
        return [packed for offset, packed in batch.traces.items() if offset > self.position]

    def _apply_some(self, index: Shard, operations: Sequence[Operation], position: int) -> Sequence[Operation]:
        """Apply operations, a few at least, and return those that are left where a search has waited long enough.

        position: to move to when none are.
        """
        done = 0
        while len(operations) - done > _AT_LEAST:
            part = operations[done : done + _AT_LEAST]
            index.apply(part, position=part[-1].offset)
            done += _AT_LEAST
            if self._thread.had_better_end():
                return operations[done:]
        index.apply(operations[done:], position=position)
        return ()

    def _found_gap(self, kind: GapKind) -> None:
        self._observer.gap(self.shard, kind)
        if self._state is ReplicaState.LIVE:
            log.info("replica_gap", shard=self.shard, kind=kind, position=self.position)
            self._state = ReplicaState.GAP
