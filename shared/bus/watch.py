"""Looks after a consumer: how much waits for it and how long, and whether it silently stopped."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping

from shared.bus.arrivals import Arrivals
from shared.bus.consumer import Subscription
from shared.bus.consumer_metrics import ConsumerMetrics
from shared.bus.faults import BusUnavailable

STALLED_AFTER_S = 120.0
_LOOK_EVERY_S = 5.0
_ANSWER_WITHIN_S = 5.0


class ConsumerWatch:
    """A liveness check: fails when records wait on an assigned partition and none was taken for two minutes.

    It bears with a subscription that is paused, and with a broker that does not answer: a restart brings back neither.
    What hangs in the work itself is for a Standstill to find.
    """

    def __init__(
        self,
        subscription: Subscription,
        *,
        clock: Callable[[], float],
        metrics: ConsumerMetrics,
        now_ms: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        """clock: seconds, monotonic. metrics: their lag is kept at what waits. now_ms: Unix milliseconds."""
        self._metrics = metrics
        self._subscription = subscription
        self._clock = clock
        self._now_ms = now_ms
        self._positions: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._arrivals: dict[int, Arrivals] = {}
        self._moved_at = clock()
        self._waiting = 0
        self._lost: list[int] = []
        """Partitions on which the consumer does not come to know where it stands."""

    def __call__(self) -> str | None:
        silent_s = self._clock() - self._moved_at
        if silent_s <= STALLED_AFTER_S:
            return None
        topic = self._subscription.topic
        if self._waiting:
            return f"{self._waiting} records wait on {topic}, none taken for {silent_s:.0f} s"
        if self._lost:
            return f"nothing is read on partitions {self._lost} of {topic}: no position for {silent_s:.0f} s"
        return None

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if self._subscription.running:
                await self._look()

    async def _look(self) -> None:
        ends = await self._ask_ends(self._subscription.assigned())
        asked = {part: await self._position(part) for part in self._subscription.assigned()}
        positions = {part: position for part, position in asked.items() if position is not None and position >= 0}
        self._lost = sorted(part for part, position in asked.items() if position is None)
        for part in self._positions.keys() - positions.keys():
            self._metrics.forget(part)
            self._arrivals.pop(part, None)
        known = ends or {}
        self._ends = {part: known.get(part, self._ends.get(part, positions[part])) for part in positions}
        waiting = {part: max(0, self._ends[part] - position) for part, position in positions.items()}
        for part, records in waiting.items():
            self._metrics.show_lag(part, records=records, seconds=self._waited_s(part, positions[part]))
        self._waiting = sum(waiting.values())
        moved, self._positions = positions != self._positions, positions
        broker_is_away = ends is None
        if moved or broker_is_away or self._subscription.paused or not (self._waiting or self._lost):
            self._moved_at = self._clock()

    async def _position(self, part: int) -> int | None:
        """-1 where the partition has gone away, None where the consumer does not know: aiokafka waits until it does."""
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                return await self._subscription.position(part)
        except TimeoutError:
            return None

    async def _ask_ends(self, partitions: Collection[int]) -> Mapping[int, int] | None:
        """Ask the broker, since what fetches tell is out of date where nothing is fetched. None while it is away."""
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                return await self._subscription.ends(partitions)
        except (BusUnavailable, TimeoutError):
            return None

    def _waited_s(self, part: int, position: int) -> float:
        taken_ms = self._subscription.taken_ms(part)
        return self._arrivals.setdefault(part, Arrivals()).waited_s(
            position=position,
            end=self._ends[part],
            now_s=self._clock(),
            taken_age_s=None if taken_ms is None else max(0.0, self._now_ms() - taken_ms) / 1000,
        )
