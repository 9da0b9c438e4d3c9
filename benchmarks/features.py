"""Hearing what the extractor publishes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import numpy.typing as npt

from benchmarks.arrivals import Arrivals
from benchmarks.stack import PARTITIONS, Stack
from shared.bus.consumer import Record
from shared.bus.history import read_operations
from shared.bus.inbox import Inbox
from shared.events.operations import Upsert


class FeatureWatch(Arrivals):
    """Counts feature records as they come, and keeps their codes."""

    def __init__(self) -> None:
        super().__init__()
        self.positions: dict[int, int] = {}
        self._codes: dict[str, bytes] = {}

    @property
    def codes(self) -> npt.NDArray[np.uint8]:
        """uint8 (images, bytes per code)."""
        return np.stack([np.frombuffer(code, np.uint8) for code in self._codes.values()])

    def receive(self, record: Record) -> None:
        [operation] = read_operations([record])
        assert isinstance(operation, Upsert)
        self._codes[operation.id] = operation.code
        self.positions[record.partition] = record.offset
        super().receive(record)


@asynccontextmanager
async def feature_watch(stack: Stack) -> AsyncIterator[FeatureWatch]:
    watch = FeatureWatch()
    async with Inbox(stack.bootstrap_servers, {stack.topics.features: range(PARTITIONS)}, watch.receive):
        yield watch
