"""Decoding in child processes: one that hangs, crashes or grows costs its own image and nothing else."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import LifoQueue
from types import TracebackType
from typing import Self

from shared.events.region import Region
from shared.imaging.decoders.assignment import Assignment
from shared.imaging.decoders.decoder import Observe, unobserved
from shared.imaging.decoders.policy import DecodePolicy, Finish, Pixels
from shared.imaging.decoders.supervisor import SupervisedDecoder
from shared.imaging.guard import check_bytes


class DecodePool:
    """A `Decoder` for images from anybody. Needs a POSIX system; memory is bounded on Linux."""

    def __init__(
        self,
        finish: Finish,
        policy: DecodePolicy,
        *,
        size_hint: int | None = None,
        observe: Observe = unobserved,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._limits = policy.limits
        self._observe = observe
        self._clock = clock
        assignment = Assignment(finish=finish, policy=policy, size_hint=size_hint)
        self._decoders = [SupervisedDecoder(assignment) for _ in range(policy.processes)]
        # The one that was last at work has its code and its memory in the processor's caches.
        self._idle: LifoQueue[SupervisedDecoder] = LifoQueue()
        for decoder in self._decoders:
            self._idle.put(decoder)
        # A thread for each child, which does nothing but wait for it.
        self._threads = ThreadPoolExecutor(policy.processes, thread_name_prefix="decode")

    @property
    def pids(self) -> list[int]:
        """The children that are alive."""
        return [decoder.pid for decoder in self._decoders if decoder.pid is not None]

    async def decode(self, data: bytes, region: Region | None = None) -> Pixels:
        """See `Decoder`. Raises also PoisonInput: DECODE_TIMEOUT, TOO_MUCH_MEMORY, DECODER_CRASHED."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._decode, data, region)

    async def __aenter__(self) -> Self:
        """Start the children. Raises TransientFault when one does not start."""
        try:
            await asyncio.gather(*(asyncio.to_thread(decoder.start) for decoder in self._decoders))
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    def _decode(self, data: bytes, region: Region | None) -> Pixels:
        check_bytes(data, self._limits)
        decoder = self._idle.get()
        started = self._clock()
        try:
            pixels = decoder.decode(data, region)
        finally:
            self._idle.put(decoder)
        self._observe(self._clock() - started)
        return pixels

    async def _close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.gather(*(asyncio.to_thread(decoder.stop) for decoder in self._decoders))
