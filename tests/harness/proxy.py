"""A network that fails on demand: a TCP proxy in front of one port.

It runs in a thread of its own, so that a test may block while its traffic goes on.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Self

from services.cli.stack.ports import LOOPBACK, free_port

_CHUNK_BYTES = 64 * 1024
_REMEMBERED_BYTES = 4 * 1024
_COMMAND_TIMEOUT_S = 5.0
_LINGER_ZERO = struct.pack("ii", 1, 0)  # closing sends RST instead of FIN


class _Connection:
    """said: the first bytes that came from the client."""

    def __init__(self) -> None:
        self.said = b""
        self.silent = False
        self.task: asyncio.Task[None]


class FaultyProxy:
    """Forwards `port` to `target_port`, until it is told to fail; `heal` ends every fault.

    A Kafka client goes on to the address that the broker advertises: start that broker with the setting
    `advertised.listeners` naming the proxy.
    """

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self._target_port = target_port
        self._latency_s = 0.0
        self._connections: list[_Connection] = []
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy")
        self._started = threading.Event()

    def delay(self, seconds: float) -> None:
        """Hold every chunk back this long, in both directions."""
        self._latency_s = seconds

    def stall(self) -> None:
        """Accept connections and bytes, and forward nothing: a peer that hangs, a packet filter that drops."""
        self._command(self._set_flowing(False))

    def silence(self, saying: bytes = b"") -> None:
        """Lose, for good, what is sent over the connections that there are: each end takes the other for idle.

        It is what a failover does, or a packet filter that forgot them. New ones are served. saying: only those whose
        client has sent these bytes.
        """
        self._command(self._silence(saying))

    def opened(self, saying: bytes = b"") -> int:
        """How many connections there have been whose client began with something that these bytes are in."""
        return sum(saying in connection.said for connection in self._connections)

    def reset(self) -> None:
        """Break every connection with RST; new ones are served."""
        self._command(self._reset())

    def refuse(self) -> None:
        """Break every connection, and refuse new ones: a server that is down."""
        self._command(self._refuse())

    def heal(self) -> None:
        """Forward again. What a stall held back is delivered."""
        self._latency_s = 0.0
        self._command(self._listen())
        self._command(self._set_flowing(True))

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(_COMMAND_TIMEOUT_S):
            raise TimeoutError("the proxy did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._flowing = asyncio.Event()
        self._flowing.set()
        async with asyncio.TaskGroup() as self._tasks:
            await self._listen()
            self._started.set()
            await self._ended.wait()
            await self._refuse()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._reset()

    async def _reset(self) -> None:
        broken = [connection.task for connection in self._connections if not connection.task.done()]
        for task in broken:
            task.cancel()
        await asyncio.gather(*broken, return_exceptions=True)

    async def _silence(self, saying: bytes) -> None:
        for connection in self._connections:
            connection.silent |= saying in connection.said

    async def _set_flowing(self, flowing: bool) -> None:
        if flowing:
            self._flowing.set()
        else:
            self._flowing.clear()

    def _accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        connection = _Connection()
        connection.task = self._tasks.create_task(self._forward(client, to_client, connection))
        self._connections.append(connection)

    async def _forward(
        self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter, connection: _Connection
    ) -> None:
        writers = [to_client]
        try:
            server, to_server = await asyncio.open_connection(LOOPBACK, self._target_port)
            writers.append(to_server)
            async with asyncio.TaskGroup() as directions:
                directions.create_task(self._copy(client, to_server, connection, of_client=True))
                directions.create_task(self._copy(server, to_client, connection, of_client=False))
            for writer in writers:
                writer.close()
        except* OSError:
            pass  # one side broke, and so does the other
        finally:
            _break(writers)

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: _Connection, *, of_client: bool
    ) -> None:
        while chunk := await reader.read(_CHUNK_BYTES):
            if of_client and len(connection.said) < _REMEMBERED_BYTES:
                connection.said += chunk
            await asyncio.sleep(self._latency_s)
            await self._flowing.wait()
            if connection.silent:
                continue
            writer.write(chunk)
            await writer.drain()
        if connection.silent:
            return
        writer.write_eof()

    def _command(self, act: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(act, self._loop).result(_COMMAND_TIMEOUT_S)


def _break(writers: list[asyncio.StreamWriter]) -> None:
    """Those that were closed in good order stay so."""
    for writer in writers:
        if not writer.transport.is_closing():
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            writer.transport.abort()
