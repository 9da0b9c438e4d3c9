"""The one writer of a shard's log: folds what Kafka delivers, and appends it, exactly as far as it is new."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.events.operations import Operation, make_batch
from shared.index.shard import Outcome, Shard
from shared.replication.log import Fenced, ReplicationLog
from shared.runtime.executor import SingleThread
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_MOST_WINDOWS = 4
"""However old the manifests are, the log is not kept for longer than this many windows."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of an operation, now that the log has reached it."""

    operation: Operation
    outcome: Outcome


def new_epoch() -> str:
    return uuid.uuid4().hex


class ShardWriter:
    """Holds the shard's fold, so that it knows which operations are stale, and what to write in their place.

    The order of the promises: `append` returns only when the log has the batch; the caller commits to Kafka next, and
    sends receipts last. After Fenced or Conflict: `claim` again, and read on from `next_offset`.
    """

    def __init__(
        self,
        shard: int,
        log_: ReplicationLog,
        *,
        incarnation: str,
        window: int,
        thread: SingleThread,
        epochs: Callable[[], str] = new_epoch,
    ) -> None:
        """window: offsets kept behind the head for replicas to catch up from. thread: does the folding."""
        self.shard = shard
        self.fold = Shard()
        self.head: int | None = None
        self.epoch = ""
        self.keep_from: int | None = None
        """The position of the oldest manifest that a replica begins with: the log is kept from there, within limits."""
        self._log = log_
        self._incarnation = incarnation
        self._window = window
        self._thread = thread
        self._epochs = epochs

    @property
    def claimed(self) -> bool:
        return self.head is not None

    @property
    def next_offset(self) -> int:
        """Where to read on in Kafka: behind what both the fold and the log have."""
        return min(self.fold.position, self.head if self.head is not None else self.fold.position) + 1

    async def claim(self) -> None:
        """Become the shard's writer, under a fresh epoch. Raises LogUnavailable."""
        epoch = self._epochs()
        self.head = await self._log.claim(
            self.shard, incarnation=self._incarnation, epoch=epoch, head_if_new=self.fold.position
        )
        self.epoch = epoch
        log.info("shard_claimed", shard=self.shard, head=self.head, folded=self.fold.position)

    def lose(self) -> None:
        """Take note that the claim is void."""
        self.head = None

    async def still_mine(self) -> bool:
        """Ask the log whether this writer's claim stands. Raises LogUnavailable."""
        found = await self._log.head(self.shard)
        return (
            found is not None
            and self.head is not None
            and (found.incarnation, found.epoch, found.head) == (self._incarnation, self.epoch, self.head)
        )

    async def append(
        self, operations: Sequence[Operation], *, position: int, traces: Mapping[int, bytes] | None = None
    ) -> list[Written]:
        """Bring fold and log up to `position` with the operations that lead there, in order.

        traces: as in the batch that the log gets.

        Those that the fold or the log has already are not applied to it twice, so operations may come again. Raises
        Fenced, Conflict, LogUnavailable; the operations must then come again.
        """
        if self.head is None:
            raise RuntimeError(f"shard {self.shard} is not claimed")
        fresh = [operation for operation in operations if operation.offset > self.fold.position]
        applied = await self._thread.run(self.fold.apply, fresh, position=max(position, self.fold.position))
        outcomes = {operation.offset: outcome for operation, outcome in zip(fresh, applied, strict=True)}
        if self.head is None:  # lost while the thread was folding
            raise Fenced(f"shard {self.shard} went to another writer")
        if position > self.head:
            await self._extend_log(operations, outcomes, position, head=self.head, traces=traces or {})
        return [Written(op, outcomes.get(op.offset) or self.fold.judge(op)) for op in operations]

    def _keep_after(self, position: int) -> int:
        usual = position - self._window
        if self.keep_from is None:
            return usual
        return max(min(usual, self.keep_from), position - _MOST_WINDOWS * self._window)

    async def _extend_log(
        self,
        operations: Sequence[Operation],
        outcomes: Mapping[int, Outcome],
        position: int,
        *,
        head: int,
        traces: Mapping[int, bytes],
    ) -> None:
        """Append what the log lacks.

        An operation that is new and changes nothing is left out: the log holds resolved operations. One that the fold
        had before (the log was rolled back) goes in whatever became of it since, so that a replica passes through the
        same contents at the same positions as it would have the first time.
        """
        batch = make_batch(
            incarnation=self._incarnation,
            previous=head,
            position=position,
            operations=[
                op
                for op in operations
                if op.offset > head and outcomes.get(op.offset, Outcome.APPLIED) is Outcome.APPLIED
            ],
            traces=traces,
        )
        await self._log.append(self.shard, batch, epoch=self.epoch, keep_after=self._keep_after(position))
        if self.head is not None:  # a claim that was lost meanwhile stays lost
            self.head = position
