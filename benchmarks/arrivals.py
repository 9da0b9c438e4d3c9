"""Hearing when everything that was sent has come out at the other end."""

import asyncio
import time

from shared.bus.consumer import Record


class Arrivals:
    """Counts the keys that come, each once. `receive` is for an Inbox."""

    def __init__(self) -> None:
        self._keys: set[bytes] = set()
        self._wanted = 0
        self._reached = asyncio.Event()
        self._reached_at = 0.0

    def __len__(self) -> int:
        return len(self._keys)

    def receive(self, record: Record) -> None:
        self._keys.add(record.key)
        if len(self) >= self._wanted and not self._reached.is_set():
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
