"""What a child says: a pipe that it writes to, read line by line.

The pipe is our own, not asyncio's `stdout=PIPE`: with that, `Process.wait()` also waits for whoever else holds the
pipe's other end (python/cpython#119710), and a grandchild that was left behind may hold it for ever.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

LONGEST_LINE_BYTES = 64 * 1024


class Output:
    """The reading end. `close` it, also when its writers live on."""

    def __init__(self, reader: asyncio.StreamReader, transport: asyncio.ReadTransport) -> None:
        self._reader = reader
        self._transport = transport

    @classmethod
    async def open(cls, file_descriptor: int) -> "Output":
        reader = asyncio.StreamReader(limit=LONGEST_LINE_BYTES)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(file_descriptor, "rb", buffering=0)
        )
        return cls(reader, transport)

    async def lines(self) -> AsyncIterator[str]:
        """Each line without its end, until all writers are gone. An endless line is cut, never collected."""
        pending = b""
        while chunk := await self._reader.read(LONGEST_LINE_BYTES):
            *complete, pending = (pending + chunk).split(b"\n")
            if len(pending) >= LONGEST_LINE_BYTES:
                complete.append(pending)
                pending = b""
            for line in complete:
                yield _text(line)
        if pending:
            yield _text(pending)

    def close(self) -> None:
        self._transport.close()


@contextmanager
def output_pipe() -> Iterator[tuple[int, int]]:
    """The ends of a pipe, to read and to write.

    The writing end is closed after the block, when the child has its own copy; the reading end where the block fails.
    """
    read_end, write_end = os.pipe()
    try:
        yield read_end, write_end
    except BaseException:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").rstrip("\r")
