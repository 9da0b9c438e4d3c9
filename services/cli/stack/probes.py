"""Health checks: one small request to a port of this machine, and whether the reply is the right one."""

import asyncio
from collections.abc import Awaitable, Callable

from services.cli.stack.ports import LOOPBACK

Probe = Callable[[], Awaitable[bool]]
"""Whether a process is ready. Never raises for a peer that is not there yet."""

REPLY_TIMEOUT_S = 2.0

# Kafka protocol, request header v1: api key 18 (ApiVersions), version 0, correlation id 7, client id "probe".
_API_VERSIONS = b"\x00\x12\x00\x00" + b"\x00\x00\x00\x07" + b"\x00\x05probe"
_API_VERSIONS_REQUEST = len(_API_VERSIONS).to_bytes(4, "big") + _API_VERSIONS
# Reply: size, the correlation id, error code 0.
_API_VERSIONS_REPLY = b"\x00\x00\x00\x07" + b"\x00\x00"


def kafka_probe(port: int) -> Probe:
    """Ready when the broker answers ApiVersions without an error."""

    async def probe() -> bool:
        reply = await _exchange(port, _API_VERSIONS_REQUEST, reply_bytes=10)
        return reply[4:] == _API_VERSIONS_REPLY

    return probe


def redis_probe(port: int) -> Probe:
    """Ready when Redis answers PING; while it loads its data it answers -LOADING."""

    async def probe() -> bool:
        return await _exchange(port, b"PING\r\n", reply_bytes=7) == b"+PONG\r\n"

    return probe


def http_probe(port: int, path: str = "/readyz") -> Probe:
    """Ready when a GET answers 200; a worker that is alive and not ready yet answers 503."""
    request = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\nConnection: close\r\n\r\n".encode()

    async def probe() -> bool:
        status_line = await _exchange(port, request, reply_bytes=len("HTTP/1.1 200"))
        return status_line.endswith(b" 200")

    return probe


async def _exchange(port: int, request: bytes, *, reply_bytes: int) -> bytes:
    """Send `request`, return the first bytes of the reply, or nothing where there is no such reply."""
    try:
        async with asyncio.timeout(REPLY_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                writer.write(request)
                return await reader.readexactly(reply_bytes)
            finally:
                writer.close()
                await writer.wait_closed()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return b""
