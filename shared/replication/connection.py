"""Connecting to Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_TIMEOUT_S = 5.0


@asynccontextmanager
async def connect(url: str, *, command_timeout_s: float | None = _TIMEOUT_S) -> AsyncIterator[Redis]:
    """A client for the Redis at `url`; it connects when it is first used, and again when a connection breaks.

    Commands fail after five seconds. They are not tried again here: the callers know what may be repeated.
    command_timeout_s: None for a caller that bounds each command itself. On Python 3.11 only that can be cancelled
    with certainty: the `asyncio.wait_for` by which redis-py bounds its sending loses some cancellations there.
    """
    redis = Redis.from_url(
        url,
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=command_timeout_s,
        health_check_interval=0,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield redis
    finally:
        await redis.aclose()
