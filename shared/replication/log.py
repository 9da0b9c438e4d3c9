"""The replication log of a shard, as its writer and its replicas see it. `redis_log.py` is the real one."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from shared.events.operations import OperationBatch


@dataclass(frozen=True, slots=True)
class LogHead:
    """What the log says of itself. head: the position that it reaches."""

    incarnation: str
    epoch: str
    head: int


class Fenced(Exception):
    """Another writer has claimed the shard, or the log was lost or replaced: claim it again before appending."""


class Conflict(Exception):
    """The batch does not extend the head: read on from the head before appending."""

    def __init__(self, head: int) -> None:
        super().__init__(f"the log's head is {head}")
        self.head = head


class LogUnavailable(Exception):
    """The log cannot be reached for now: try again."""


class ReplicationLog(Protocol):
    """One log per shard. Every method raises LogUnavailable where it cannot be reached."""

    async def claim(self, shard: int, *, incarnation: str, epoch: str, head_if_new: int) -> int:
        """Become the only writer; returns the head to go on from.

        Where the log is missing, or belongs to another incarnation, it starts anew at `head_if_new`.
        """

    async def append(self, shard: int, batch: OperationBatch, *, epoch: str, keep_after: int) -> None:
        """Add a batch and publish it. What ends at or before `keep_after` may be dropped.

        A batch that the head has reached already is taken as done. Raises Fenced, Conflict.
        """

    async def head(self, shard: int) -> LogHead | None:
        """What the log says of itself; None where there is none."""

    async def read(self, shard: int, *, after: int, count: int) -> list[OperationBatch]:
        """The batches that end beyond the position `after`, oldest first, at most `count`."""

    def follow(self, shards: Sequence[int]) -> AbstractAsyncContextManager[AsyncIterator[tuple[int, OperationBatch]]]:
        """Hear of batches as they are appended. May lose any of them: `read` tells what was lost."""
