"""Hearing what is written to some partitions from now on, without a consumer group."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.bus.consumer import Record
from shared.bus.faults import NO_RIGHT, bus_faults, no_right
from shared.bus.ungrouped import FETCH_WAIT_MS, ungrouped_consumer
from shared.runtime.logging import get_logger
from shared.wires.kafka import Servers, kafka_servers

log = get_logger(__name__)

_RETRY_S = 1.0
_LOOKS_WITHIN_S = 60.0
"""It looks once a second at least, and longer than a request may take at Kafka's worst."""


class Inbox:
    """Calls `receive` for every record that is written after the context was entered, in order within a partition.

    partitions: topic → the partitions to hear. receive: must neither block nor raise.
    """

    def __init__(
        self,
        servers: Servers,
        partitions: Mapping[str, Sequence[int]],
        receive: Callable[[Record], None],
        *,
        fetch_wait_ms: int = FETCH_WAIT_MS,
    ) -> None:
        self._wanted = partitions
        self._receive = receive
        self._servers = kafka_servers(servers)
        self._fetch_wait_ms = fetch_wait_ms
        self._stack = AsyncExitStack()
        self._consumer: AIOKafkaConsumer
        self._task: asyncio.Task[None] | None = None
        self._looked_at = 0.0

    def not_hearing(self) -> str | None:
        """Why nothing is heard any more, though nobody has closed it; None where it is, or Kafka is away."""
        topics = ", ".join(self._wanted)
        if self._task is None:
            return None
        if self._task.done():
            cause = "it was cancelled" if self._task.cancelled() else f"it failed with {self._task.exception()!r}"
            return f"nothing listens to {topics} any more: {cause}"
        silent_s = asyncio.get_running_loop().time() - self._looked_at
        return f"nobody has looked at {topics} for {silent_s:.0f} s" if silent_s > _LOOKS_WITHIN_S else None

    async def __aenter__(self) -> Self:
        """Raises BusUnavailable where no broker answers."""
        async with AsyncExitStack() as stack:
            with bus_faults("listening for answers", self._servers):
                self._consumer = await stack.enter_async_context(
                    ungrouped_consumer(self._servers, fetch_wait_ms=self._fetch_wait_ms)
                )
                await self._assign()
            self._stack = stack.pop_all()
        self._looked_at = asyncio.get_running_loop().time()
        self._task = asyncio.create_task(self._listen(), name=f"inbox of {', '.join(self._wanted)}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._stack.aclose()

    async def _assign(self) -> None:
        """Stand at the present end of every partition: what is written after this returns is heard."""
        assigned = [TopicPartition(topic, number) for topic, numbers in self._wanted.items() for number in numbers]
        self._consumer.assign(assigned)
        for partition, end in (await self._consumer.end_offsets(assigned)).items():
            self._consumer.seek(partition, end)

    async def _listen(self) -> None:
        while True:
            self._looked_at = asyncio.get_running_loop().time()
            try:
                batches = await self._consumer.getmany(timeout_ms=1000)
            except KafkaError as error:
                told = no_right("listening", error, self._servers) if isinstance(error, NO_RIGHT) else repr(error)
                log.warning("inbox_cannot_read", error=told, retry_in_s=_RETRY_S)
                await asyncio.sleep(_RETRY_S)
                continue
            for records in batches.values():
                for record in records:
                    self._receive(record)
