"""An image seen before costs nothing again, and the cache never costs an image its code."""

import asyncio

import pytest

from shared.cache.code_cache import CachedCode
from shared.cache.extraction import CachedExtraction
from shared.cache.observer import Lookup
from shared.encoders.engine.engine import Extracted
from shared.events.faults import PoisonInput, RejectReason
from tests.fakes.cache_observer import RecordingCacheObserver
from tests.fakes.code_cache import FakeCodeCache
from tests.fakes.engine import BOMB, DEVICE_S, POISON, FakeEngine
from tests.fakes.operations import SCHEME

IMAGE, CODE = b"image", b"imag"


class Bench:
    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.cache = FakeCodeCache()
        self.observer = RecordingCacheObserver()
        self.extraction = self.under(SCHEME)

    def under(self, scheme: str) -> CachedExtraction:
        return CachedExtraction(self.engine.extract, scheme=scheme, cache=self.cache, observer=self.observer)

    async def begin(self, data: bytes) -> asyncio.Task[Extracted]:
        """Have an image extracted up to the closed gate."""
        self.engine.gate.clear()
        task = asyncio.ensure_future(self.extraction.extract(data))
        await self.settle()
        return task

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_an_image_is_extracted_once_and_then_known(bench: Bench) -> None:
    first = await bench.extraction.extract(IMAGE)
    again = await bench.extraction.extract(IMAGE)
    assert (first.code, again.code) == (CODE, CODE)
    assert bench.engine.begun == [IMAGE]
    assert bench.observer.outcomes == [Lookup.MISS, Lookup.HIT]


async def test_what_the_device_took_the_first_time_is_saved_each_time_after(bench: Bench) -> None:
    first = await bench.extraction.extract(IMAGE)
    assert bench.observer.saved_s == 0
    for _ in range(3):
        again = await bench.extraction.extract(IMAGE)
        assert (again.decode_s, again.encode_s, again.device_s) == (0, 0, 0)
    assert bench.observer.saved_s == 3 * first.device_s == 3 * DEVICE_S


async def test_another_scheme_knows_nothing_of_it(bench: Bench) -> None:
    await bench.extraction.extract(IMAGE)
    await bench.under("another scheme").extract(IMAGE)
    assert bench.engine.begun == [IMAGE, IMAGE]


async def test_without_its_cache_every_image_is_extracted(bench: Bench) -> None:
    bench.cache.available = False
    for _ in range(2):
        assert (await bench.extraction.extract(IMAGE)).code == CODE
    assert bench.engine.begun == [IMAGE, IMAGE]
    assert bench.observer.outcomes == [Lookup.UNAVAILABLE, Lookup.UNAVAILABLE]


async def test_what_has_no_code_is_not_kept(bench: Bench) -> None:
    for _ in range(2):
        with pytest.raises(PoisonInput):
            await bench.extraction.extract(POISON)
    assert bench.engine.begun == [POISON, POISON]
    assert bench.cache.kept == {}


async def test_the_same_image_at_the_same_time_is_extracted_once(bench: Bench) -> None:
    tasks = [await bench.begin(IMAGE) for _ in range(5)]
    bench.engine.gate.set()
    assert {found.code for found in await asyncio.gather(*tasks)} == {CODE}
    assert bench.engine.begun == [IMAGE]
    assert bench.observer.outcomes == [Lookup.MISS, *[Lookup.JOINED] * 4]
    assert bench.observer.saved_s == 4 * DEVICE_S


async def test_other_images_do_not_wait_for_one_another(bench: Bench) -> None:
    slow = await bench.begin(IMAGE)
    bench.engine.gate.set()
    assert (await bench.extraction.extract(b"other")).code == b"othe"
    await slow


async def test_who_joined_a_poison_is_told_the_same_reason(bench: Bench) -> None:
    tasks = [await bench.begin(POISON) for _ in range(3)]
    bench.engine.gate.set()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(outcome, PoisonInput)
        assert outcome.reason is RejectReason.DECODE_FAILED
    assert bench.engine.begun == [POISON]


async def test_who_joined_one_that_was_given_up_extracts_for_itself(bench: Bench) -> None:
    first, second = await bench.begin(IMAGE), await bench.begin(IMAGE)
    first.cancel()
    bench.engine.gate.set()
    assert (await second).code == CODE
    assert first.cancelled()
    assert bench.engine.begun == [IMAGE, IMAGE]


async def test_who_joined_and_leaves_does_not_take_the_other_along(bench: Bench) -> None:
    first, second = await bench.begin(IMAGE), await bench.begin(IMAGE)
    second.cancel()
    bench.engine.gate.set()
    assert (await first).code == CODE


async def test_a_device_that_breaks_is_told_to_each_and_leaves_nothing_behind(bench: Bench) -> None:
    tasks = [await bench.begin(BOMB) for _ in range(2)]
    bench.engine.gate.set()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(outcome, RuntimeError)
    assert bench.cache.kept == {}
    assert bench.extraction._under_way == {}


async def test_a_code_from_the_cache_is_taken_as_it_is(bench: Bench) -> None:
    await bench.extraction.extract(IMAGE)
    [key] = bench.cache.kept
    bench.cache.kept[key] = CachedCode(code=b"kept", device_s=1.5)
    assert (await bench.extraction.extract(IMAGE)).code == b"kept"
    assert bench.observer.saved_s == 1.5
