"""A consumer that stopped and told nobody, on real Kafka: what /livez is made of."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from shared.bus.consumer_metrics import ConsumerMetrics
from shared.bus.producer import RecordProducer
from shared.bus.watch import STALLED_AFTER_S, ConsumerWatch
from tests.harness.kafka import Broker
from tests.integration.test_bus_subscription import Member, producer, send, topic

__all__ = ["producer", "topic"]  # fixtures

_LOOK_EVERY_S = 0.2


class Watched:
    """A member of a group, and its watch, whose clock can be put forward."""

    def __init__(self, kafka: Broker, topic: str) -> None:
        self.member = Member(kafka, topic)
        self.ahead_s = 0.0
        self.watch = ConsumerWatch(
            self.member.subscription,
            clock=lambda: asyncio.get_running_loop().time() + self.ahead_s,
            metrics=ConsumerMetrics("test", topic, CollectorRegistry()),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Watched"]:
        async with self.member.running():
            watching = asyncio.create_task(self.watch.run())
            try:
                yield self
            finally:
                watching.cancel()
                await asyncio.wait([watching])

    async def after_long(self) -> str | None:
        """What the watch says when much longer than it bears with has passed since what was done last."""
        await asyncio.sleep(10 * _LOOK_EVERY_S)
        self.ahead_s += STALLED_AFTER_S
        return self.watch()

    def fall_silent(self) -> None:
        """End what takes the records out, as a defect would: the consumer stays in its group, and goes on fetching."""
        for task in self.member.subscription._subscriber.tasks:
            task.cancel()


async def test_a_consumer_that_silently_stopped_is_not_alive(
    kafka: Broker, topic: str, producer: RecordProducer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.watch._LOOK_EVERY_S", _LOOK_EVERY_S)
    async with Watched(kafka, topic).running() as watched:
        await send(producer, topic, b"before")
        assert await watched.member.next_value() == b"before"
        assert await watched.after_long() is None
        watched.fall_silent()
        assert await watched.after_long() is None  # nothing waits for it
        await send(producer, topic, b"after", b"and later")
        problem = await watched.after_long()
        assert problem is not None
        assert re.fullmatch(rf"2 records wait on {topic}, none taken for \d+ s", problem)
