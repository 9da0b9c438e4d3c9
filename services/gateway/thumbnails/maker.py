"""From the address of a picture to its thumbnail."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from http import HTTPStatus
from types import TracebackType
from typing import Self

from services.gateway.problems import Problem
from services.gateway.thumbnails.drawing import SIDE, as_thumbnail
from services.gateway.thumbnails.links import Links
from shared.events.faults import PoisonInput
from shared.imaging.decoders.policy import DecodePolicy
from shared.imaging.decoders.pool import DecodePool
from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy

_AT_ONCE = 4
_WAITING = 128
_REMEMBERED_BYTES = 32 * 1024 * 1024


class Thumbnails:
    """Makes thumbnails, a few at once, and remembers the last ones. Use as an async context manager.

    Pictures are fetched as far as the policy goes, and decoded in a process of their own, for they may be anybody's.
    """

    def __init__(self, links: Links, policy: FetchPolicy) -> None:
        self.links = links
        self._policy = policy
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._known_bytes = 0
        self._stack = AsyncExitStack()
        self._fetch: Callable[[str], Awaitable[bytes]]
        self._pool: DecodePool

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._fetch = (await stack.enter_async_context(Fetcher(self._policy))).fetch
            pool = DecodePool(as_thumbnail, DecodePolicy(processes=1), size_hint=SIDE)
            self._pool = await stack.enter_async_context(pool)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def of(self, uri: str) -> bytes:
        """The thumbnail, as a JPEG file. Raises Problem where there is none, or too many are being made."""
        known = self._known.get(uri)
        if known is not None:
            self._known.move_to_end(uri)
            return known
        if self._waiting >= _WAITING:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "too many thumbnails are being made: try later")
        self._waiting += 1
        try:
            async with self._places:
                made = (await self._pool.decode(await self._fetch(uri))).tobytes()
        except PoisonInput as fault:
            raise Problem(
                HTTPStatus.NOT_FOUND, "no_thumbnail", f"there is no picture to show: {fault.reason.value}"
            ) from fault
        finally:
            self._waiting -= 1
        self._remember(uri, made)
        return made

    def _remember(self, uri: str, made: bytes) -> None:
        self._known_bytes += len(made) - len(self._known.pop(uri, b""))
        self._known[uri] = made
        while self._known_bytes > _REMEMBERED_BYTES:
            self._known_bytes -= len(self._known.popitem(last=False)[1])
