"""A bare echo in a process of its own: what a request and its reply cost with aiokafka and nothing else."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from aiokafka import AIOKafkaProducer

from benchmarks.bare_bus import ECHO_REPLIES, ECHO_REQUESTS, consumer_at_end
from services.cli.stack.probes import Probe
from tests.harness.daemon import Daemon

_READY = "the echo listens"
_LENGTH_BYTES = 4
_NUMBER_BYTES = 8


class EchoProcess(Daemon):
    """`python -m benchmarks.echo`."""

    def __init__(self, bootstrap_servers: str, folder: Path) -> None:
        super().__init__("echo", log=folder / "echo.log")
        self._bootstrap_servers = bootstrap_servers

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "benchmarks.echo", self._bootstrap_servers]

    def probe(self) -> Probe:
        async def listens() -> bool:
            return _READY in self.log.read_text(encoding="utf-8", errors="replace")

        return listens


def echo_request(request_bytes: int, reply_bytes: int) -> bytes:
    """A request of the first length, which asks for a reply of the second."""
    return numbered_request(0, request_bytes, reply_bytes)


def numbered_request(number: int, request_bytes: int, reply_bytes: int) -> bytes:
    """The same with a number, which the reply brings back."""
    head = reply_bytes.to_bytes(_LENGTH_BYTES, "big") + number.to_bytes(_NUMBER_BYTES, "big")
    return head + bytes(request_bytes - len(head))


def number_of(reply: bytes) -> int:
    return int.from_bytes(reply[:_NUMBER_BYTES], "big")


async def _echo(bootstrap_servers: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap_servers)
    await producer.start()
    try:
        async with consumer_at_end(bootstrap_servers, ECHO_REQUESTS.name) as consumer:
            print(_READY, flush=True)
            async for record in consumer:
                length = int.from_bytes(record.value[:_LENGTH_BYTES], "big")
                number = record.value[_LENGTH_BYTES : _LENGTH_BYTES + _NUMBER_BYTES]
                await producer.send(ECHO_REPLIES.name, number + bytes(length - _NUMBER_BYTES))
    finally:
        await producer.stop()


if __name__ == "__main__":
    asyncio.run(_echo(sys.argv[1]))
