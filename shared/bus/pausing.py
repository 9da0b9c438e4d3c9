"""Staying in a consumer group while the work stands still: the partitions are paused, and polling goes on."""

import asyncio
from collections.abc import Awaitable, Collection
from typing import Protocol

from aiokafka import TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError

from shared.runtime.logging import get_logger

log = get_logger(__name__)

_NOWHERE = TopicPartition("", -1)


class PolledConsumer(Protocol):
    """What is needed of an AIOKafkaConsumer."""

    def assignment(self) -> Collection[TopicPartition]: ...

    def paused(self) -> Collection[TopicPartition]: ...

    def pause(self, *partitions: TopicPartition) -> None: ...

    def resume(self, *partitions: TopicPartition) -> None: ...

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int = 0) -> object: ...


class Pausing:
    """Pauses the partitions of one subscription while a batch is under way for long.

    A consumer that does not poll for `max_poll_interval_ms` loses its partitions, to members that fare no better: in
    an outage they would go round, and what was under way for them would be done in vain. Paused partitions are not
    fetched; what was fetched before waits in the consumer. Every partition that is assigned meanwhile is paused too.
    """

    def __init__(self, topic: str, *, after_s: float = 2.0, poll_every_s: float = 1.0) -> None:
        self._topic = topic
        self._after_s = after_s
        self._poll_every_s = poll_every_s
        self.active = False

    async def during(self, consumer: PolledConsumer, work: Awaitable[None]) -> None:
        """Do the work, which gets through a batch; that may take any time."""
        polling: list[asyncio.Task[None]] = []
        patience = asyncio.get_running_loop().call_later(
            self._after_s, lambda: polling.append(asyncio.create_task(self._poll_paused(consumer)))
        )
        try:
            await work
        finally:
            patience.cancel()
            for task in polling:
                await _ended(task)

    def assigned(self, consumer: PolledConsumer) -> None:
        """Partitions were assigned, and none of theirs was fetched yet."""
        if self.active:
            consumer.pause(*consumer.assignment())

    async def _poll_paused(self, consumer: PolledConsumer) -> None:
        log.info("partitions_paused", topic=self._topic)
        self.active = True
        try:
            while True:
                consumer.pause(*consumer.assignment())
                await self._poll(consumer)
                await asyncio.sleep(self._poll_every_s)
        finally:
            self.active = False
            consumer.resume(*consumer.paused())
            log.info("partitions_resumed", topic=self._topic)

    async def _poll(self, consumer: PolledConsumer) -> None:
        """Show up, and take nothing: a record that came out here would be lost."""
        try:
            await consumer.getmany(_NOWHERE, timeout_ms=0)
        except (KafkaError, ConsumerStoppedError) as error:
            log.warning("poll_failed", topic=self._topic, error=repr(error))


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancel it, and raise what it failed with."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
