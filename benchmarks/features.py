"""Hearing what the extractor publishes."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import numpy.typing as npt

from benchmarks.stack import PARTITIONS, Stack
from shared.bus.consumer import Record
from shared.bus.history import read_operations
from shared.bus.inbox import Inbox
from shared.events.operations import Upsert


class FeatureWatch:
    """Counts feature records as they come, and keeps their codes."""

    def __init__(self) -> None:
        self.positions: dict[int, int] = {}
        self._codes: dict[str, bytes] = {}
        self._wanted = 0
        self._reached = asyncio.Event()
        self._reached_at = 0.0

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def codes(self) -> npt.NDArray[np.uint8]:
        """uint8 (images, bytes per code)."""
        return np.stack([np.frombuffer(code, np.uint8) for code in self._codes.values()])

    def receive(self, record: Record) -> None:
        [operation] = read_operations([record])
        assert isinstance(operation, Upsert)
        self._codes[operation.id] = operation.code
        self.positions[record.partition] = record.offset
        if len(self) == self._wanted:
            self._reached_at = time.perf_counter()
            self._reached.set()

    def expect(self, more: int) -> None:
        """Say beforehand how many more are to come."""
        self._wanted = len(self) + more
        self._reached.clear()

    async def all_heard(self, *, within_s: float) -> float:
        """When the last of those was heard, by `time.perf_counter`. Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            await self._reached.wait()
        return self._reached_at


@asynccontextmanager
async def feature_watch(stack: Stack) -> AsyncIterator[FeatureWatch]:
    watch = FeatureWatch()
    async with Inbox(stack.bootstrap_servers, {stack.topics.features: range(PARTITIONS)}, watch.receive):
        yield watch
