import asyncio
from collections.abc import Callable
from itertools import count
from threading import Lock

import numpy as np
import pytest
import torch
from PIL import Image

from shared.codes.f32 import F32
from shared.codes.i8 import I8
from shared.encoders.encoder import Encoder
from shared.encoders.engine.engine import ExtractionEngine, ExtractionPolicy
from shared.events.faults import PoisonInput, RejectReason, TransientFault
from tests.unit.encoders.fakes import MeanColour, engine_of
from tests.unit.encoders.photos import FILES
from tests.unit.imaging.pictures import encoded

POLICY = ExtractionPolicy()


def picture(red: int, green: int, blue: int) -> bytes:
    return encoded(Image.new("RGB", (16, 16), (red, green, blue)), "PNG")


RED, GREEN, BLUE, BLACK = picture(255, 0, 0), picture(0, 255, 0), picture(0, 0, 255), picture(0, 0, 0)
GREEN_CODE = bytes([0, 127, 0])


class Ticks:
    """A clock that is one second later each time it is read."""

    def __init__(self) -> None:
        self._seconds: Callable[[], int] = count().__next__
        self._lock = Lock()

    def __call__(self) -> float:
        with self._lock:
            return float(self._seconds())


class Log:
    def __init__(self) -> None:
        self.decodes: list[float] = []
        self.batches: list[tuple[int, float]] = []

    def decoded(self, seconds: float) -> None:
        self.decodes.append(seconds)

    def encoded(self, images: int, seconds: float) -> None:
        self.batches.append((images, seconds))


async def start_on_a_busy_device(engine: ExtractionEngine, encoder: MeanColour) -> asyncio.Task[object]:
    encoder.go_on.clear()
    task = asyncio.ensure_future(engine.extract(GREEN))
    await asyncio.to_thread(encoder.started.wait, 10)
    return task


async def until_queued(engine: ExtractionEngine, images: int) -> None:
    """Let decoding finish while the device is held: only the queue knows when that is."""
    while engine._batcher._waiting.qsize() < images:  # noqa: ASYNC110 - a queue has no event for its length
        await asyncio.sleep(0)


async def test_an_image_becomes_the_code_of_its_features() -> None:
    async with engine_of(MeanColour(), I8(), POLICY) as engine:
        assert (await engine.extract(GREEN)).code == GREEN_CODE
        assert (await engine.extract(picture(0, 200, 100))).code == bytes([0, 127, 64])


async def test_a_real_photo_has_the_same_code_through_the_engine_and_alone(
    encoder: Encoder, vectors: torch.Tensor
) -> None:
    chosen = (3, 30, 50)
    async with engine_of(encoder, F32(), POLICY) as engine:
        await engine.warm_up()
        found = await asyncio.gather(*(engine.extract(FILES[row].read_bytes()) for row in chosen))
    for row, extracted in zip(chosen, found, strict=True):
        assert np.allclose(np.frombuffer(extracted.code, np.float32), vectors[row], atol=1e-5)
        assert extracted.decode_s > 0 < extracted.encode_s


async def test_batches_fill_under_load() -> None:
    encoder = MeanColour()
    async with engine_of(encoder, I8(), ExtractionPolicy(max_batch=8, max_in_flight=33)) as engine:
        first = await start_on_a_busy_device(engine, encoder)
        others = [asyncio.ensure_future(engine.extract(GREEN)) for _ in range(32)]
        await until_queued(engine, 32)
        encoder.go_on.set()
        await asyncio.gather(first, *others)
    assert encoder.batches == [1, 8, 8, 8, 8]


async def test_an_idle_engine_does_not_wait_for_company() -> None:
    encoder = MeanColour()
    async with engine_of(encoder, I8(), POLICY) as engine:
        for _ in range(3):
            await engine.extract(GREEN)
    assert encoder.batches == [1, 1, 1]


async def test_more_images_than_may_be_in_flight_wait_their_turn() -> None:
    encoder = MeanColour()
    async with engine_of(encoder, I8(), ExtractionPolicy(max_batch=2, max_in_flight=2)) as engine:
        found = await asyncio.gather(*(engine.extract(GREEN) for _ in range(20)))
    assert {extracted.code for extracted in found} == {GREEN_CODE}
    assert max(encoder.batches) <= 2


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (RED, RejectReason.ENCODE_FAILED),
        (BLACK, RejectReason.ENCODE_FAILED),
        (GREEN[: len(GREEN) // 2], RejectReason.DECODE_FAILED),
        (b"text", RejectReason.UNSUPPORTED_FORMAT),
    ],
    ids=["not a number", "no direction", "truncated", "no image"],
)
async def test_a_bad_image_costs_itself_only(bad: bytes, reason: RejectReason) -> None:
    encoder = MeanColour()
    async with engine_of(encoder, I8(), POLICY) as engine:
        first = await start_on_a_busy_device(engine, encoder)
        others = asyncio.gather(*(engine.extract(data) for data in (GREEN, bad, GREEN)), return_exceptions=True)
        await asyncio.sleep(0)
        encoder.go_on.set()
        before, fault, after = await others
        await first
    assert before.code == after.code == GREEN_CODE
    assert isinstance(fault, PoisonInput)
    assert fault.reason is reason


async def test_an_error_of_the_device_is_not_blamed_on_the_image() -> None:
    async with engine_of(MeanColour(), I8(), POLICY) as engine:
        with pytest.raises(RuntimeError, match="the device is lost"):
            await engine.extract(BLUE)
        assert (await engine.extract(GREEN)).code == GREEN_CODE


async def test_a_vector_has_the_code_that_its_image_would_have() -> None:
    async with engine_of(MeanColour(), I8(), POLICY) as engine:
        image = await engine.extract(picture(0, 200, 100))
        assert await engine.quantize_vector([0, 2, 1]) == image.code


async def test_a_vector_does_not_wait_for_the_images_on_the_device() -> None:
    encoder = MeanColour()
    async with engine_of(encoder, I8(), POLICY) as engine:
        image = await start_on_a_busy_device(engine, encoder)
        async with asyncio.timeout(10):
            assert await engine.quantize_vector([0, 1, 0]) == GREEN_CODE
        assert not image.done()
        encoder.go_on.set()
        await image


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
async def test_the_length_of_a_vector_does_not_matter(scale: float) -> None:
    async with engine_of(MeanColour(), F32(), POLICY) as engine:
        code = await engine.quantize_vector([0, 3 * scale, -4 * scale])
    assert np.frombuffer(code, np.float32) == pytest.approx([0, 0.6, -0.8])


@pytest.mark.parametrize(
    ("vector", "sentence"),
    [
        ([1.0, 2.0], r"holds vectors of 3 numbers"),
        ([], r"holds vectors of 3 numbers"),
        ([1.0, float("nan"), 0.0], "not finite"),
        ([1.0, float("inf"), 0.0], "not finite"),
        ([0.0, 0.0, 0.0], "all zeros"),
    ],
)
async def test_a_vector_of_no_use_is_refused(vector: list[float], sentence: str) -> None:
    async with engine_of(MeanColour(), I8(), POLICY) as engine:
        with pytest.raises(ValueError, match=sentence):
            await engine.quantize_vector(vector)


async def test_the_observer_hears_of_every_image_and_every_batch_but_not_of_the_warm_up() -> None:
    log = Log()
    async with engine_of(MeanColour(), I8(), POLICY, observer=log, clock=Ticks()) as engine:
        await engine.warm_up()
        extracted = await engine.extract(GREEN)
    assert log.decodes == [1]
    assert log.batches == [(1, 1)]
    assert (extracted.decode_s, extracted.encode_s) == (3, 3)


async def test_the_time_of_the_device_is_shared_out_among_the_images_of_a_batch() -> None:
    encoder, log = MeanColour(), Log()
    policy = ExtractionPolicy(max_batch=4, max_in_flight=9)
    async with engine_of(encoder, I8(), policy, observer=log, clock=Ticks()) as engine:
        first = await start_on_a_busy_device(engine, encoder)
        others = [asyncio.ensure_future(engine.extract(GREEN)) for _ in range(4)]
        await until_queued(engine, 4)
        encoder.go_on.set()
        await first
        shares = [(await other).device_s for other in others]
    assert [images for images, _ in log.batches] == [1, 4]
    assert shares == [log.batches[1][1] / 4] * 4


async def test_a_stop_fails_whoever_waits_and_whoever_comes_later() -> None:
    encoder = MeanColour()
    async with engine_of(encoder, I8(), POLICY) as engine:
        waiting = [await start_on_a_busy_device(engine, encoder), asyncio.ensure_future(engine.extract(GREEN))]
        await until_queued(engine, 1)
        await engine._batcher.stop()
        encoder.go_on.set()
    errors = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in errors] == [TransientFault, TransientFault]
    for late in (engine.extract(GREEN), engine.quantize_vector([1, 0, 0]), engine.warm_up()):
        with pytest.raises(TransientFault):
            await late


async def test_a_caller_that_is_cancelled_gives_its_place_back() -> None:
    encoder = MeanColour()
    async with engine_of(encoder, I8(), ExtractionPolicy(max_batch=1, max_in_flight=1)) as engine:
        first = await start_on_a_busy_device(engine, encoder)
        first.cancel()
        await asyncio.wait([first])
        encoder.go_on.set()
        assert (await engine.extract(GREEN)).code == GREEN_CODE


async def test_the_scheme_names_all_that_makes_a_code() -> None:
    engine = engine_of(MeanColour(), I8(), POLICY)
    assert (engine.scheme.encoder, engine.scheme.code, engine.scheme.dim) == ("mean_colour", "i8", 3)
    assert engine.scheme.preprocessing == MeanColour.preprocessing
    other = engine_of(MeanColour(), F32(), POLICY)
    assert engine.scheme.fingerprint != other.scheme.fingerprint


def test_a_policy_that_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match="max_batch"):
        ExtractionPolicy(max_batch=10, max_in_flight=9)
    with pytest.raises(ValueError, match="max_wait_s"):
        ExtractionPolicy(max_wait_s=-0.001)


async def test_what_is_decoded_and_encoded_at_the_moment_can_be_seen() -> None:
    encoder = MeanColour()
    async with engine_of(encoder, I8()) as engine:
        first = await start_on_a_busy_device(engine, encoder)
        assert (engine.decoding, engine.encoding) == (0, 1)
        second = asyncio.ensure_future(engine.extract(GREEN))
        await asyncio.sleep(0)
        assert engine.decoding == 1
        encoder.go_on.set()
        await asyncio.gather(first, second)
        assert (engine.decoding, engine.encoding) == (0, 0)


async def test_a_damaged_image_is_not_counted_for_ever() -> None:
    async with engine_of(MeanColour(), I8()) as engine:
        with pytest.raises(PoisonInput):
            await engine.extract(GREEN[:40])
        assert (engine.decoding, engine.encoding) == (0, 0)
