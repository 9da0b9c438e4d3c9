"""Decoding in this very process: at once ready, and as safe as the libraries behind it."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from shared.events.region import Region
from shared.imaging.decode import decode_rgb
from shared.imaging.decoders.decoder import Observe, unobserved
from shared.imaging.decoders.policy import DecodePolicy, Finish, Pixels


class DecodeThreads:
    """Decodes images in as many threads as the policy has processes, for images from people who are trusted.

    Only the limits of `policy.limits` hold: there is no deadline, and no bound on memory.
    """

    def __init__(
        self,
        finish: Finish,
        policy: DecodePolicy,
        *,
        size_hint: int | None = None,
        observe: Observe = unobserved,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._finish = finish
        self._limits = policy.limits
        self._size_hint = size_hint
        self._observe = observe
        self._clock = clock
        self._threads = ThreadPoolExecutor(policy.processes, thread_name_prefix="decode")

    async def decode(self, data: bytes, region: Region | None = None) -> Pixels:
        """See `Decoder`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._decode, data, region)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._threads.shutdown)

    def _decode(self, data: bytes, region: Region | None) -> Pixels:
        started = self._clock()
        pixels = self._finish(decode_rgb(data, self._limits, self._size_hint, region))
        self._observe(self._clock() - started)
        return pixels
