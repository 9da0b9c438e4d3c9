"""Notices a consumer that silently stopped, so that the liveness probe can say so."""

import asyncio
from collections.abc import Callable

from aiokafka import TopicPartition

from shared.bus.consumer import Subscription

STALLED_AFTER_S = 120.0
_LOOK_EVERY_S = 5.0


class ConsumerWatch:
    """A liveness check: fails when records wait on an assigned partition and none was taken for two minutes."""

    def __init__(self, subscription: Subscription, *, clock: Callable[[], float]) -> None:
        self._subscription = subscription
        self._clock = clock
        self._positions: dict[TopicPartition, int] = {}
        self._moved_at = clock()
        self._waiting = 0
        self.lag: dict[int, int] = {}
        """Partition → records that wait, as far as the last fetch told."""

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
        consumer = self._subscription.consumer
        positions = {part: await consumer.position(part) for part in consumer.assignment()}
        self.lag = {
            part.partition: max(0, (consumer.highwater(part) or 0) - position) for part, position in positions.items()
        }
        self._waiting = sum(self.lag.values())
        if positions != self._positions or not self._waiting:
            self._positions = positions
            self._moved_at = self._clock()
