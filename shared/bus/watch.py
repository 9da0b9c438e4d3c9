"""Notices a consumer that silently stopped, so that the liveness probe can say so."""

import asyncio
from collections.abc import Callable

from prometheus_client import Gauge

from shared.bus.consumer import Subscription

STALLED_AFTER_S = 120.0
_LOOK_EVERY_S = 5.0


class ConsumerWatch:
    """A liveness check: fails when records wait on an assigned partition and none was taken for two minutes.

    It bears with a subscription that is paused: a restart does not bring back what the work waits for.
    """

    def __init__(self, subscription: Subscription, *, clock: Callable[[], float], lag: Gauge) -> None:
        """lag: a gauge with the label `partition`, kept at the records that wait, as far as the last fetch told."""
        self._lag = lag
        self._subscription = subscription
        self._clock = clock
        self._positions: dict[int, int] = {}
        self._moved_at = clock()
        self._waiting = 0

    def __call__(self) -> str | None:
        silent_s = self._clock() - self._moved_at
        if self._waiting and silent_s > STALLED_AFTER_S:
            return f"{self._waiting} records wait on {self._subscription.topic}, none taken for {silent_s:.0f} s"
        return None

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if self._subscription.running:
                await self._look()

    async def _look(self) -> None:
        asked = {part: await self._subscription.position(part) for part in self._subscription.assigned()}
        positions = {part: position for part, position in asked.items() if position >= 0}
        waiting = {
            part: max(0, (self._subscription.highwater(part) or 0) - position) for part, position in positions.items()
        }
        for part in self._positions.keys() - positions.keys():
            self._lag.remove(str(part))
        for part, records in waiting.items():
            self._lag.labels(str(part)).set(records)
        self._waiting = sum(waiting.values())
        moved, self._positions = positions != self._positions, positions
        if moved or not self._waiting or self._subscription.paused:
            self._moved_at = self._clock()
