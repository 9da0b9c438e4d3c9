"""A web server that keeps to no rule: it writes what a test gives it, and goes on as long as somebody reads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class RawSite:
    """Answers every request with `first`, and then with `more`, over and over.

    `refused` is set when a client closed a connection that still had more to say.
    """

    def __init__(self, first: bytes, more: bytes = b"", pause_s: float = 0.0) -> None:
        self.sent_bytes = 0
        self.refused = asyncio.Event()
        self._first, self._more, self._pause_s = first, more, pause_s
        self._port = 0
        self._answering: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/image"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["RawSite"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1")
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for answer in self._answering:
                answer.cancel()
            await asyncio.gather(*self._answering, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = asyncio.ensure_future(self._answer(reader, writer))
        self._answering.add(answer)
        answer.add_done_callback(self._answering.discard)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await self._write(writer)
            writer.close()
            await writer.wait_closed()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client had enough
        finally:
            writer.transport.abort()

    async def _write(self, writer: asyncio.StreamWriter) -> None:
        writer.write(self._first)
        try:
            await writer.drain()
            while self._more:
                writer.write(self._more)
                await writer.drain()
                self.sent_bytes += len(self._more)
                await asyncio.sleep(self._pause_s)
        except ConnectionError:
            self.refused.set()
            raise
