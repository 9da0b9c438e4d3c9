"""The lines of a body that comes bit by bit."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

from starlette.requests import ClientDisconnect

from services.gateway.api.bodies import MAX_BODY_BYTES, READ_WITHIN_S
from services.gateway.problems import Problem


async def lines_of(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Every line that is not blank, without its end. At most one line is held at a time.

    Raises Problem where a line is too long, or nothing comes for too long.
    """
    rest = b""
    async for chunk in _prompt(chunks):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
        if len(rest) > MAX_BODY_BYTES:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", f"a line has at most {MAX_BODY_BYTES} bytes"
            )
    if rest.strip():
        yield rest


async def _prompt(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT, "too_slow", f"no line came within {READ_WITHIN_S:.0f} s"
            ) from None
        except ClientDisconnect:
            return
        if chunk is None:
            return
        yield chunk
