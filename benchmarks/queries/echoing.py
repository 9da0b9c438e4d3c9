"""A bare echo for many callers at once: aiokafka as it comes, and a number by which an answer is known."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.bare_bus import ECHO_REPLIES, ECHO_REQUESTS, consumer_at_end
from benchmarks.echo import number_of, numbered_request


class Echo:
    """Implements Ask."""

    def __init__(self, producer: AIOKafkaProducer, consumer: AIOKafkaConsumer, request: int, reply: int) -> None:
        self._producer = producer
        self._consumer = consumer
        self._request_bytes = request
        self._reply_bytes = reply
        self._asked = 0
        self._waiting: dict[int, asyncio.Future[None]] = {}

    async def __call__(self, _number: int) -> None:
        self._asked += 1
        number = self._asked
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._producer.send(ECHO_REQUESTS.name, numbered_request(number, self._request_bytes, self._reply_bytes))
        await answer

    async def listen(self) -> None:
        async for record in self._consumer:
            self._waiting.pop(number_of(record.value)).set_result(None)


@asynccontextmanager
async def echo(bootstrap_servers: str, *, request_bytes: int, reply_bytes: int) -> AsyncIterator[Echo]:
    """An EchoProcess must be running. request_bytes, reply_bytes: how long the two are."""
    async with AsyncExitStack() as stack:
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers)
        await producer.start()
        stack.push_async_callback(producer.stop)
        consumer = await stack.enter_async_context(consumer_at_end(bootstrap_servers, ECHO_REPLIES.name))
        asked = Echo(producer, consumer, request_bytes, reply_bytes)
        listening = asyncio.create_task(asked.listen())
        try:
            yield asked
        finally:
            listening.cancel()
            await asyncio.wait([listening])
