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
_COMMAND_TIMEOUT_S = 5.0
_LINGER_ZERO = struct.pack("ii", 1, 0)  # closing sends RST instead of FIN


class FaultyProxy:
    """Forwards `port` to `target_port`, until it is told to fail; `heal` ends every fault.

    A Kafka client goes on to the address that the broker advertises: start that broker with the setting
    `advertised.listeners` naming the proxy.
    """

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self._target_port = target_port
        self._latency_s = 0.0
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy")
        self._started = threading.Event()

    def delay(self, seconds: float) -> None:
        """Hold every chunk back this long, in both directions."""
        self._latency_s = seconds

    def stall(self) -> None:
        """Accept connections and bytes, and forward nothing: a peer that hangs, a packet filter that drops."""
        self._command(self._set_flowing(False))

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
        broken = list(self._connections)
        for connection in broken:
            connection.cancel()
        await asyncio.gather(*broken, return_exceptions=True)

    async def _set_flowing(self, flowing: bool) -> None:
        if flowing:
            self._flowing.set()
        else:
            self._flowing.clear()

    def _accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        connection = self._tasks.create_task(self._forward(client, to_client))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _forward(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        writers = [to_client]
        try:
            server, to_server = await asyncio.open_connection(LOOPBACK, self._target_port)
            writers.append(to_server)
            async with asyncio.TaskGroup() as directions:
                directions.create_task(self._copy(client, to_server))
                directions.create_task(self._copy(server, to_client))
            for writer in writers:
                writer.close()
        except* OSError:
            pass  # one side broke, and so does the other
        finally:
            _break(writers)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(_CHUNK_BYTES):
            await asyncio.sleep(self._latency_s)
            await self._flowing.wait()
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()

    def _command(self, act: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(act, self._loop).result(_COMMAND_TIMEOUT_S)


def _break(writers: list[asyncio.StreamWriter]) -> None:
    """Those that were closed in good order stay so."""
    for writer in writers:
        if not writer.transport.is_closing():
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            writer.transport.abort()
