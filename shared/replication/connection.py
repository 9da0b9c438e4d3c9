"""Connecting to Redis, and how long to wait for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.replication.log import LogUnavailable

_TIMEOUT_S = 5.0
QUICKLY_S = 2.0
"""For what asks Redis for a few bytes: an answer that was lost in a network holds a replica up for no longer."""


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Redis]:
    """A client for the Redis at `url`; it connects when it is first used, and again when a connection breaks.

    Commands are neither tried again nor bounded in time here: the callers know what may be repeated, and `answered`
    bounds them. redis-py would do so by `asyncio.wait_for`, which on Python 3.11 loses some cancellations.

    It speaks RESP2: of whatever RESP3 pushes, redis-py writes the `repr` for its log, whether anybody reads that or
    not, and batches of operations have some hundred kilobytes.
    """
    redis = Redis.from_url(
        url,
        protocol=2,
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=None,
        health_check_interval=0,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield redis
    finally:
        await redis.aclose()


@asynccontextmanager
async def answered(doing: str, *, within_s: float = _TIMEOUT_S) -> AsyncIterator[None]:
    """Raise LogUnavailable, which says what was being done, where Redis fails or does not answer in time."""
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError as error:
        raise LogUnavailable(f"{doing}: no answer within {within_s:g} s") from error
    except (RedisError, OSError) as error:
        raise LogUnavailable(f"{doing}: {error}") from error
