"""From a reference to the bytes behind it."""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp.abc import AbstractResolver

from shared.events.faults import PoisonInput, RejectReason, TransientFault
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

    async def fetch(self, uri: str) -> bytes:
        """Return the bytes behind a reference, never more than `max_bytes`.

        Raises PoisonInput with URI_NOT_ALLOWED, NOT_FOUND or TOO_MANY_BYTES at once, and
        with FETCH_FAILED when the last attempt failed in a way that time may heal.
        """
        source = self._source_of(uri)
        for failures in range(1, self._policy.attempts + 1):
            try:
                async with asyncio.timeout(self._policy.timeout_s):
                    return await source.read(uri)
            except TransientFault as fault:
                cause = str(fault)
            except TimeoutError:
                cause = f"there was no complete answer within {self._policy.timeout_s:g} s"
            if failures < self._policy.attempts:
                await self._sleep(self._jitter() * self._policy.longest_wait_s(failures))
        raise PoisonInput(
            RejectReason.FETCH_FAILED,
            f"{shown(uri)} could not be read in {self._policy.attempts} attempts; the last time {cause}. "
            "Redrive the event when the source answers again.",
        )

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
