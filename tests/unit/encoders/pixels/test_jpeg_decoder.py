"""Plain JPEGs are decoded on the device, in batches; what it refuses takes a detour, and holds up no other image."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from shared.codes.i8 import I8
from shared.encoders.engine.engine import ExtractionEngine, ExtractionPolicy
from shared.encoders.engine.observer import Unobserved
from shared.encoders.engine.opening import decoder_for
from shared.encoders.pixels.jpeg_decoder import JpegDecoder, decode_jpegs
from shared.encoders.pixels.preprocessing import Pixels, Preprocessing
from shared.encoders.settings import EncodingSettings
from shared.events.faults import PoisonInput, RejectReason, TransientFault
from shared.imaging.decode import decode_rgb
from shared.imaging.decoders.decoder import Observe, unobserved
from shared.imaging.decoders.policy import DecodePolicy
from shared.imaging.decoders.pool import DecodePool
from shared.imaging.decoders.threads import DecodeThreads
from shared.imaging.guard import ImageLimits
from shared.runtime.settings import BadSettings
from tests.unit.encoders.fakes import MeanColour
from tests.unit.imaging.pictures import BLUE, GREEN, RED, encoded, quarters

CPU = torch.device("cpu")
USUAL = Preprocessing(crop=56, resize=64, interpolation="bicubic", mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def flat(colour: tuple[int, int, int]) -> bytes:
    return encoded(Image.new("RGB", (80, 60), colour), "JPEG")


FLAT = [flat(colour) for colour in (RED, GREEN, BLUE)]
BROKEN = flat((9, 9, 9))
OTHERS = [
    encoded(quarters(), "PNG"),
    encoded(quarters().convert("CMYK"), "JPEG"),
    next(Path("tests/data/photos").glob("*/*.webp")).read_bytes(),
]


class Device:
    """A CPU that refuses what is broken to it, with all of its batch, and can be held."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.started = Event()
        self.go_on = Event()
        self.go_on.set()

    def __call__(self, files: Sequence[bytes], device: torch.device) -> list[Tensor]:
        self.batches.append(len(files))
        self.started.set()
        assert self.go_on.wait(timeout=10)
        if BROKEN in files:
            raise RuntimeError("the device does not like it")
        return decode_jpegs(files, device)


@asynccontextmanager
async def decoding(
    device: Device, observe: Observe = unobserved, clock: Callable[[], float] = lambda: 0.0
) -> AsyncIterator[JpegDecoder]:
    other = DecodeThreads(USUAL.to_pixels, DecodePolicy(), size_hint=USUAL.decode_size, observe=observe, clock=clock)
    async with JpegDecoder(USUAL, CPU, other, observe=observe, clock=clock, decode_jpegs=device) as decoder:
        yield decoder


def by_pillow(data: bytes) -> Pixels:
    return USUAL.to_pixels(decode_rgb(data, ImageLimits(), USUAL.decode_size))


def difference(pixels: Pixels | Tensor, data: bytes) -> float:
    return float(np.abs(np.asarray(pixels).astype(int) - by_pillow(data)).mean())


async def held(device: Device, decoder: JpegDecoder) -> asyncio.Task[Pixels | Tensor]:
    """Occupy the device with one image, and return the task that waits for it."""
    device.go_on.clear()
    task = asyncio.ensure_future(decoder.decode(FLAT[0]))
    await asyncio.to_thread(device.started.wait, 10)
    return task


async def all_wait(decoder: JpegDecoder) -> None:
    """Return when all that were handed in wait for the device: headers are read in turn, and this one comes last."""
    with pytest.raises(PoisonInput):
        await decoder.decode(b"no image")


async def test_plain_jpegs_stay_on_the_device_and_all_others_go_elsewhere() -> None:
    device = Device()
    async with decoding(device) as decoder:
        for data in FLAT:
            pixels = await decoder.decode(data)
            assert isinstance(pixels, Tensor)
            assert (pixels.dtype, pixels.shape) == (torch.uint8, (3, 56, 56))
            assert difference(pixels, data) < 0.1
        for data in OTHERS:
            pixels = await decoder.decode(data)
            assert isinstance(pixels, np.ndarray)
            assert difference(pixels, data) == 0
    assert device.batches == [1, 1, 1]


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_pictures_are_turned_upright_as_pillow_does(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(quarters(200).crop((0, 0, 200, 160)), "JPEG", exif=exif)
    async with decoding(Device()) as decoder:
        pixels = await decoder.decode(data)
    assert isinstance(pixels, Tensor)
    assert difference(pixels, data) < 0.6


async def test_a_busy_device_gets_what_waits_as_one_batch() -> None:
    device = Device()
    async with decoding(device) as decoder:
        first = await held(device, decoder)
        others = [asyncio.ensure_future(decoder.decode(data)) for data in FLAT]
        await all_wait(decoder)
        device.go_on.set()
        await asyncio.gather(first, *others)
    assert device.batches == [1, 3]


async def test_an_image_that_the_device_refuses_costs_only_itself_a_detour() -> None:
    device = Device()
    async with decoding(device) as decoder:
        first = await held(device, decoder)
        files = [FLAT[1], BROKEN, FLAT[2]]
        others = [asyncio.ensure_future(decoder.decode(data)) for data in files]
        await all_wait(decoder)
        device.go_on.set()
        found = await asyncio.gather(*others)
        await first
    assert device.batches == [1, 3, 1, 1, 1]
    assert [isinstance(pixels, Tensor) for pixels in found] == [True, False, True]
    assert all(difference(pixels, data) < 0.1 for pixels, data in zip(found, files, strict=True))


async def test_what_nobody_can_read_is_rejected_with_its_reason() -> None:
    garbage = FLAT[0][:-40] + b"\xff\xd9"[:1]
    async with decoding(Device()) as decoder:
        for data, reason in ((b"no image", RejectReason.UNSUPPORTED_FORMAT), (garbage, RejectReason.DECODE_FAILED)):
            with pytest.raises(PoisonInput) as caught:
                await decoder.decode(data)
            assert caught.value.reason is reason


async def test_each_image_that_was_decoded_is_observed_once() -> None:
    seconds: list[float] = []
    ticks = iter([0.0, 2.0, 10.0, 10.5, 20.0, 21.0])
    async with decoding(Device(), seconds.append, lambda: next(ticks)) as decoder:
        await decoder.decode(FLAT[0])
        await decoder.decode(BROKEN)
    assert seconds == [2.0, 1.0]


async def test_a_batch_shares_its_time_among_its_images() -> None:
    device, seconds = Device(), list[float]()
    ticks = iter([0.0, 0.5, 1.0, 10.0, 16.0])  # the second one is read for what is no image
    async with decoding(device, seconds.append, lambda: next(ticks)) as decoder:
        first = await held(device, decoder)
        others = [asyncio.ensure_future(decoder.decode(data)) for data in FLAT]
        await all_wait(decoder)
        device.go_on.set()
        await asyncio.gather(first, *others)
    assert seconds == [1.0, 2.0, 2.0, 2.0]


async def test_whoever_waits_for_the_device_when_it_stops_may_try_again() -> None:
    device = Device()
    async with decoding(device) as decoder:
        first = await held(device, decoder)
        second = asyncio.ensure_future(decoder.decode(FLAT[1]))
        await all_wait(decoder)
        await decoder._batcher.stop()
        device.go_on.set()
        errors = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(error) for error in errors] == [TransientFault, TransientFault]
    with pytest.raises(RuntimeError, match="after shutdown"):
        await decoder.decode(FLAT[0])


async def test_the_engine_makes_one_code_of_a_picture_whichever_way_it_came() -> None:
    encoder = MeanColour()
    other = DecodeThreads(encoder.preprocessing.to_pixels, DecodePolicy())
    decoder = JpegDecoder(encoder.preprocessing, CPU, other)
    async with ExtractionEngine(encoder, I8(), decoder, ExtractionPolicy()) as engine:
        plain = engine.extract(flat(GREEN))
        png = engine.extract(encoded(Image.new("RGB", (80, 60), (0, 255, 1)), "PNG"))
        (one, two) = await asyncio.gather(plain, png)
    assert np.abs(np.frombuffer(one.code, np.int8).astype(int) - np.frombuffer(two.code, np.int8)).max() <= 1


class OnCuda(MeanColour):
    device = torch.device("cuda")


def test_without_the_setting_processes_decode() -> None:
    for encoder in (MeanColour(), OnCuda()):
        assert isinstance(decoder_for(EncodingSettings(), encoder, Unobserved()), DecodePool)


def test_with_the_setting_cuda_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERIMAGE_GPU_DECODE", "true")
    decoder = decoder_for(EncodingSettings(), OnCuda(), Unobserved(), lambda files, _: decode_jpegs(files, CPU))
    assert isinstance(decoder, JpegDecoder)


def test_asked_for_where_it_cannot_run_it_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERIMAGE_GPU_DECODE", "true")
    with pytest.raises(BadSettings, match=r"AFTERIMAGE_GPU_DECODE='true' cannot be used: the encoder runs on cpu"):
        decoder_for(EncodingSettings(), MeanColour(), Unobserved())

    def refuses(files: Sequence[bytes], device: torch.device) -> list[Tensor]:
        raise RuntimeError("not compiled with nvJPEG")

    with pytest.raises(BadSettings, match="nvJPEG does not run: not compiled with nvJPEG"):
        decoder_for(EncodingSettings(), OnCuda(), Unobserved(), refuses)
