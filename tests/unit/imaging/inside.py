"""What a hostile reference is after: a server that only this machine should reach, and who counts the attempts."""

import asyncio
import errno
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from shared.imaging.sources.names import SystemResolver

PUBLIC, INSIDE = "127.0.0.1", "127.0.0.2"
"""Both are loopback. Tests that need a public server on a real socket let the first one count as public."""


class Canary:
    """Listens on the loopback interface, at one port of several addresses, and counts who connects."""

    def __init__(self) -> None:
        self.connections = 0
        self.port = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Canary"]:
        async with AsyncExitStack() as servers:
            while not await self._listen(servers):
                await servers.aclose()
            yield self

    async def _listen(self, servers: AsyncExitStack) -> bool:
        """False where somebody has the port already at one of the addresses."""
        self.port = 0
        for address in (INSIDE, PUBLIC, *(["::1"] if _has_ipv6() else [])):
            try:
                server = await asyncio.start_server(self._count, address, self.port)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                return False
            servers.callback(server.close)
            self.port = server.sockets[0].getsockname()[1]
        return True

    def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()


class Names(AbstractResolver):
    """A name service: some names of its own, and the operating system's for all others.

    A name with several answers gives the next one each time that it is asked, and in the end the last.
    """

    def __init__(self, names: dict[str, list[list[str]]]) -> None:
        self._answers = {name: _each_then_the_last(answers) for name, answers in names.items()}
        self._others = SystemResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host not in self._answers:
            return await self._others.resolve(host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in next(self._answers[host])
        ]

    async def close(self) -> None:
        await self._others.close()


def _each_then_the_last(answers: list[list[str]]) -> Iterator[list[str]]:
    yield from answers
    while True:
        yield answers[-1]


@contextmanager
def attempted_connections() -> Iterator[list[str]]:
    """The addresses that this process tries to connect to meanwhile, as the interpreter's audit sees them."""
    _watch()
    attempted: list[str] = []
    _watchers.append(attempted)
    try:
        yield attempted
    finally:
        _watchers.remove(attempted)


_watchers: list[list[str]] = []
_watching: list[bool] = []


def _watch() -> None:
    if not _watching:
        _watching.append(True)  # an audit hook stays as long as the interpreter
        sys.addaudithook(_audit)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if _watchers and event == "socket.connect" and isinstance(arguments[1], tuple):
        for attempted in _watchers:
            attempted.append(str(arguments[1][0]))


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
