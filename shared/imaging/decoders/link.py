"""Messages between a worker and its decoder, which may be under the control of whoever sent the last image."""

import socket
import struct
import time
from enum import IntEnum

_HEADER = struct.Struct(">BQ")


class Kind(IntEnum):
    """What a message is."""

    ASSIGNMENT = 1
    """To the decoder, first of all: what it is to do, pickled."""
    READY = 2
    """From the decoder: it has started."""
    IMAGE = 3
    """To the decoder: the bytes of a file."""
    PIXELS = 4
    """From the decoder: the number of dimensions, each dimension, and the samples."""
    REJECTED = 5
    """From the decoder: the reason, a line break, and the detail."""
    REGION = 6
    """To the decoder, before an image: the part of it that is wanted, pickled."""


class Link:
    """One end of a socket pair. Used by one thread at a time.

    Raises TimeoutError when a message has not passed whole within its time, EOFError when the
    other end has gone, ValueError when it talks nonsense. After any of them, close it.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, kind: Kind, body: bytes | memoryview, timeout_s: float | None = None) -> None:
        self._end.settimeout(timeout_s)
        try:
            self._end.sendall(_HEADER.pack(kind, len(body)))
            self._end.sendall(body)
        except ConnectionError as error:
            raise EOFError("the other end has gone") from error

    def receive(self, max_bytes: int, timeout_s: float | None = None) -> tuple[Kind, bytearray]:
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        kind, length = _HEADER.unpack(self._read(_HEADER.size, deadline))
        if length > max_bytes:
            raise ValueError(f"a message of {length} bytes is none of ours")
        return Kind(kind), self._read(length, deadline)

    def close(self) -> None:
        self._end.close()

    def _read(self, length: int, deadline: float | None) -> bytearray:
        body = bytearray(length)
        rest = memoryview(body)
        while rest:
            if deadline is not None:
                # Zero would mean not to wait at all, and raise another error.
                self._end.settimeout(max(deadline - time.monotonic(), 1e-6))
            try:
                count = self._end.recv_into(rest)
            except ConnectionError as error:
                raise EOFError("the other end has gone") from error
            if count == 0:
                raise EOFError("the other end has gone")
            rest = rest[count:]
        return body
