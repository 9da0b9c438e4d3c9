"""Connecting to Redis, and how long to wait for it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from shared.replication.log import LogUnavailable
from shared.wires.redis import RedisAddress
from shared.wires.refusal import Refused, causes, tls_refusal

_TIMEOUT_S = 5.0
_WHERE = "REDIS_USERNAME and REDIS_PASSWORD, or REDIS_URL"
QUICKLY_S = 2.0
"""For what asks Redis for a few bytes: an answer that was lost in a network holds a replica up for no longer."""


class RedisRefused(LogUnavailable, Refused):
    """Redis is there, and does not let us in, or does not let us do it."""


@asynccontextmanager
async def connect(address: RedisAddress | str) -> AsyncIterator[Redis]:
    """A client for the Redis at `address`, of which the URL is enough where nothing else is asked for.

    It connects again when a connection breaks, and also where Redis is not there yet. Raises RedisRefused on entering
    where Redis is there, and does not let us in.

    Commands are neither tried again nor bounded in time here: the callers know what may be repeated, and `answered`
    bounds them. redis-py would do so by `asyncio.wait_for`, which on Python 3.11 loses some cancellations.

    It speaks RESP2: of whatever RESP3 pushes, redis-py writes the `repr` for its log, whether anybody reads that or
    not, and batches of operations have some hundred kilobytes.
    """
    if isinstance(address, str):
        address = RedisAddress(url=address)
    redis = Redis.from_url(
        address.url,
        protocol=2,
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=None,
        health_check_interval=0,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,  # a user of Redis needs no right to say what library it uses
        **address.options(),
    )
    try:
        await _knock(redis, address)
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
    except NoPermissionError as error:
        raise RedisRefused(
            f"{doing}: Redis does not let us ({error}); deploy/redis/users.acl has who may what"
        ) from error
    except (RedisError, OSError) as error:
        raise LogUnavailable(f"{doing}: {error}") from error


async def _knock(redis: Redis, address: RedisAddress) -> None:
    """Raise RedisRefused where that is the answer. A Redis that is not there may come later."""
    try:
        async with asyncio.timeout(QUICKLY_S):
            await redis.ping()
    except (RedisError, OSError) as error:
        if told := _told(error, address):
            raise RedisRefused(f"Redis at {address} {told}") from error


def _told(error: BaseException, address: RedisAddress) -> str | None:
    """What was refused, and what to do; None where Redis may be there later."""
    for cause in causes(error):
        match cause:
            case AuthenticationError():
                return f"does not let {address.who} in: the user or the password is wrong ({cause}): {_WHERE}"
            case NoPermissionError():
                return f"knows {address.who}, and gives no right even to ask ({cause}): deploy/redis/users.acl"
            case ssl.SSLError():
                return tls_refusal(cause, server="REDIS", address="REDIS_URL")
    return None
