"""Handing events over to Kafka within a time that whoever asks can wait."""

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus

from services.gateway.problems import Problem
from shared.client import Sent

SEND_WITHIN_S = 10.0


async def acknowledged(sending: Awaitable[Sent]) -> Sent:
    """What Kafka has. Raises Problem where it does not say so in time, and whatever the sending raises."""
    try:
        async with asyncio.timeout(SEND_WITHIN_S):
            return await sending
    except TimeoutError:
        raise Problem(
            HTTPStatus.GATEWAY_TIMEOUT,
            "not_acknowledged",
            f"Kafka has not acknowledged it within {SEND_WITHIN_S:.0f} s; it may still arrive, and may be sent again",
        ) from None
