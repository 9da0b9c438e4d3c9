"""The cache of codes on Redis: it asks for many at once, and leaves a Redis in trouble alone."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.cache.code_cache import CachedCode, CacheUnavailable
from shared.cache.slots import Slots
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_MOST_AT_ONCE = 128
"""Of the slots that are read, or written, in one exchange: some 170 KB each way."""
_MOST_STORES = 1024
"""That wait to be written; beyond it they are let go."""
_CONNECT_S = 5.0
_LINGER_S = 0.1
"""For how long a store waits for lookups to travel with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """wait_s: the longest exchange with Redis. retry_s: the pause after one that failed. keep_s: a slot's life."""

    wait_s: float = 0.05
    retry_s: float = 1.0
    keep_s: int = 7 * 24 * 3600


class RedisCodeCache:
    """Implements CodeCache, as long as `run` runs.

    Whoever asks while an exchange with Redis is under way is part of the next one, which also takes what is to be
    stored. When an exchange fails, or takes too long, all who wait are told that the cache is unavailable. So is
    whoever asks from then on, until a trial has succeeded: no image waits for a Redis that is known to be in trouble.
    """

    def __init__(self, redis: Redis, slots: Slots, policy: CachePolicy) -> None:
        """redis: without a timeout of its own for commands; they are bounded here."""
        self._redis = redis
        self._slots = slots
        self._policy = policy
        self._serving = False
        self._waiting: list[tuple[bytes, asyncio.Future[CachedCode | None]]] = []
        self._stores: dict[bytes, CachedCode] = {}
        self._work = asyncio.Event()
        self._outage_told = False
        self._refusal_told = False

    async def get(self, key: bytes) -> CachedCode | None:
        """Return within two exchanges, the one under way and the next."""
        if not self._serving:
            raise CacheUnavailable("Redis did not answer in time, and is not asked again yet")
        if (unsent := self._stores.get(key)) is not None:
            return unsent
        answer: asyncio.Future[CachedCode | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        self._work.set()
        return await answer

    def put(self, key: bytes, cached: CachedCode) -> None:
        if self._serving and len(self._stores) < _MOST_STORES:
            self._stores[key] = cached
            asyncio.get_running_loop().call_later(_LINGER_S, self._work.set)

    async def run(self) -> None:
        """Talk to Redis, until cancelled."""
        while True:
            try:
                await self._try_out()
                await self._serve()
            except (RedisError, OSError) as error:
                self._tell_outage(error)
            await asyncio.sleep(self._policy.retry_s)

    async def _try_out(self) -> None:
        """Connect, for which there is time, and then see whether Redis answers as quickly as an image may wait."""
        async with asyncio.timeout(_CONNECT_S):
            await self._redis.ping()
        async with asyncio.timeout(self._policy.wait_s):
            await self._redis.get(self._slots.name(b""))
        if self._outage_told:
            log.info("cache_available")
            self._outage_told = False

    async def _serve(self) -> None:
        self._serving = True
        try:
            while True:
                await self._work.wait()
                asked = self._waiting[:_MOST_AT_ONCE]
                async with asyncio.timeout(self._policy.wait_s):
                    values = await self._exchange([key for key, _ in asked])
                del self._waiting[: len(asked)]
                for (key, answer), value in zip(asked, values, strict=True):
                    if not answer.done():  # some may have left
                        answer.set_result(self._slots.read(key, value))
                if not self._waiting:
                    self._work.clear()
        finally:
            self._serving = False
            self._stores.clear()
            for _, answer in self._waiting:
                if not answer.done():
                    answer.set_exception(CacheUnavailable("Redis did not answer in time"))
            self._waiting.clear()

    async def _exchange(self, keys: Sequence[bytes]) -> Sequence[bytes | None]:
        """One way to Redis and back: what waits is stored, then the keys' slots are read."""
        stores = {key: self._stores.pop(key) for key in list(islice(self._stores, _MOST_AT_ONCE))}
        pipeline = self._redis.pipeline(transaction=False)
        for key, cached in stores.items():
            pipeline.set(self._slots.name(key), self._slots.write(key, cached), ex=self._policy.keep_s)
        if keys:
            pipeline.mget([self._slots.name(key) for key in keys])
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        self._tell_refusal(answers[: len(stores)])
        values: Sequence[bytes | None] | Exception = answers[-1] if keys else []
        if isinstance(values, Exception):
            raise values
        return values

    def _tell_outage(self, error: Exception) -> None:
        if not self._outage_told:
            self._outage_told = True
            log.warning("cache_unavailable", error=str(error) or f"no answer within {self._policy.wait_s:g} s")

    def _tell_refusal(self, answers: Sequence[object]) -> None:
        """A Redis whose memory is full, or that may not be written to, can still be read."""
        if not answers:
            return
        refusal = next((answer for answer in answers if isinstance(answer, Exception)), None)
        if refusal is not None and not self._refusal_told:
            log.warning("cache_store_refused", error=str(refusal))
        self._refusal_told = refusal is not None
