"""Extraction that knows the images that it has seen before."""

import asyncio
import time
from collections.abc import Callable

from shared.cache.code_cache import CachedCode, CacheUnavailable, CodeCache
from shared.cache.keys import ImageKeys
from shared.cache.observer import CacheObserver, Lookup
from shared.encoders.engine.engine import Extract, Extracted
from shared.events.faults import PoisonInput
from shared.runtime import tracing


class CachedExtraction:
    """Looks for an image's code in the cache before it has it extracted, and keeps there what was extracted.

    An image whose bytes are under way already waits for what comes of them. Only codes are kept: what cannot be
    encoded is tried again when it comes again. Belongs to one event loop.
    """

    def __init__(
        self,
        extract: Extract,
        *,
        scheme: str,
        cache: CodeCache,
        observer: CacheObserver,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """extract: as `ExtractionEngine.extract`. scheme: the fingerprint of the codes that it gives."""
        self.looking_up = 0
        """Images that are being looked up."""
        self._extract = extract
        self._keys = ImageKeys(scheme)
        self._cache = cache
        self._observer = observer
        self._clock = clock
        self._under_way: dict[bytes, asyncio.Future[CachedCode | PoisonInput | None]] = {}

    async def extract(self, data: bytes) -> Extracted:
        """Return the code of an image. Raises what extracting it raises; the cache adds nothing to that."""
        started = self._clock()
        key = await self._keys.of(data)
        if (same := self._under_way.get(key)) is not None:
            self._observer.looked_up(Lookup.JOINED, self._clock() - started)
            return await self._join(same, data)
        answer = self._under_way[key] = asyncio.get_running_loop().create_future()
        outcome: CachedCode | PoisonInput | None = None
        try:
            outcome = await self._look_up(key, started)
            if outcome is not None:
                return self._spared(outcome)
            extracted = await self._extract(data)
            outcome = CachedCode(code=extracted.code, device_s=extracted.device_s)
            self._cache.put(key, outcome)
        except PoisonInput as fault:
            outcome = fault
            raise
        else:
            return extracted
        finally:
            del self._under_way[key]
            answer.set_result(outcome)

    async def _look_up(self, key: bytes, started: float) -> CachedCode | None:
        self.looking_up += 1
        try:
            with tracing.stage("cache"):
                found = await self._cache.get(key)
            outcome = Lookup.MISS if found is None else Lookup.HIT
        except CacheUnavailable:
            found, outcome = None, Lookup.UNAVAILABLE
        finally:
            self.looking_up -= 1
        self._observer.looked_up(outcome, self._clock() - started)
        return found

    async def _join(self, same: asyncio.Future[CachedCode | PoisonInput | None], data: bytes) -> Extracted:
        """Take what comes of the same image. What went wrong there, if it was not the image, says nothing here."""
        match await asyncio.shield(same):
            case CachedCode() as code:
                return self._spared(code)
            case PoisonInput() as fault:
                raise PoisonInput(fault.reason, fault.detail)
        return await self._extract(data)

    def _spared(self, code: CachedCode) -> Extracted:
        self._observer.saved(code.device_s)
        return Extracted(code=code.code, decode_s=0.0, encode_s=0.0, device_s=0.0)
