"""From a reference to the bytes behind it."""

import asyncio
import random
import ssl
import sys
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp.abc import AbstractResolver

from shared.events.faults import PoisonInput, RejectReason, TransientFault
from shared.imaging.budget import ByteBudget, NoRoom, Room
from shared.imaging.policy import FetchPolicy
from shared.imaging.sources.file import FileSource
from shared.imaging.sources.http import HttpSource
from shared.imaging.sources.s3 import S3Source
from shared.imaging.sources.source import Source, shown


class Fetcher:
    """Reads the images that events refer to: file://, http(s):// and s3://, as far as the policy goes.

    One fetcher serves a whole worker: it keeps connections open, and any number of
    tasks of one event loop may call it at once. Close it with that loop still running.
    """

    def __init__(
        self,
        policy: FetchPolicy,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """resolver, tls: of http(s); by default the operating system's names and authorities."""
        self._policy = policy
        self._sleep = sleep
        self._jitter = jitter
        http = HttpSource(policy, resolver, tls)
        self._sources: dict[str, Source] = {
            "file": FileSource(policy),
            "http": http,
            "https": http,
            "s3": S3Source(policy),
        }

    async def fetch(self, uri: str, room: Room | None = None) -> bytes:
        """Return the bytes behind a reference, never more than `max_bytes`.

        room: has as many bytes as are returned. Where it gets none, what was read is let go, and read again once it
        has room for all of it; that wait is no part of an attempt. By default there is room for anything.
        Raises PoisonInput with URI_NOT_ALLOWED, NOT_FOUND or TOO_MANY_BYTES at once, and
        with FETCH_FAILED when the last attempt failed in a way that time may heal.
        """
        source = self._source_of(uri)
        room = room or ByteBudget(sys.maxsize).room()
        for failures in range(1, self._policy.attempts + 1):
            try:
                data = await self._attempt(source, uri, room)
            except TransientFault as fault:
                cause = str(fault)
            except TimeoutError:
                cause = f"there was no complete answer within {self._policy.timeout_s:g} s"
            else:
                room.keep(len(data))
                return data
            room.keep(0)
            if failures < self._policy.attempts:
                await self._sleep(self._jitter() * self._policy.longest_wait_s(failures))
        raise PoisonInput(
            RejectReason.FETCH_FAILED,
            f"{shown(uri)} could not be read in {self._policy.attempts} attempts; the last time {cause}. "
            "Redrive the event when the source answers again.",
        )

    async def _attempt(self, source: Source, uri: str, room: Room) -> bytes:
        try:
            return await self._read(source, uri, room)
        except NoRoom as full:
            size = full.size
        await room.wait_for(size)  # out of `except`: the error would keep what was read
        return await self._read(source, uri, room)

    async def _read(self, source: Source, uri: str, room: Room) -> bytes:
        async with asyncio.timeout(self._policy.timeout_s):
            return await source.read(uri, room)

    def _source_of(self, uri: str) -> Source:
        scheme, separator, _ = uri.partition("://")
        source = self._sources.get(scheme.lower()) if separator else None
        if source is None:
            raise PoisonInput(
                RejectReason.URI_NOT_ALLOWED,
                f"{shown(uri)} has no scheme that is read here; use one of {', '.join(sorted(self._sources))}",
            )
        return source

    async def aclose(self) -> None:
        """Close the open connections. Closing twice does nothing."""
        for source in self._sources.values():
            await source.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
