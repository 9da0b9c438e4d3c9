"""Hearing what is published, and noticing when nothing can be heard any more."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from redis.asyncio.client import PubSub

_PING_S = 1.0
"""After so long without a word the server is asked for one."""
SILENT_S = 2.0
"""A subscription without a word for so long is taken for dead: after a failover, or behind a packet filter that drops
what it does not know, no error ever says so."""


class SubscriptionSilent(OSError):
    """The connection stands, and the other end does not answer."""


async def messages(subscription: PubSub) -> AsyncIterator[dict[str, Any]]:
    """Yield what is published on the channels of a subscription. Raises SubscriptionSilent, RedisError."""
    heard_at = time.monotonic()
    while True:
        message = await subscription.get_message(timeout=_PING_S)
        if message is not None:
            heard_at = time.monotonic()
            if message["type"] == "message":
                yield message
        elif (silent_s := time.monotonic() - heard_at) >= SILENT_S:
            raise SubscriptionSilent(f"nothing was heard for {silent_s:.1f} s, not even an answer to a ping")
        else:
            async with asyncio.timeout(_PING_S):
                await subscription.ping()
