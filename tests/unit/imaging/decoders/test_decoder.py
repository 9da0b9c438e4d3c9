"""What holds for every way to decode."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.decode import decode_rgb
from shared.imaging.decoders.decoder import Decoder
from shared.imaging.decoders.policy import DecodePolicy
from shared.imaging.decoders.pool import DecodePool
from shared.imaging.decoders.threads import DecodeThreads
from shared.imaging.guard import ImageLimits
from tests.unit.imaging.bombs import scan_bomb
from tests.unit.imaging.pictures import encoded, quarters

PHOTOS = [photo.read_bytes() for photo in sorted(Path("tests/data/photos").glob("*/*.webp"))[:12]]
POLICY = DecodePolicy(processes=2)

every_way = pytest.mark.parametrize("way", [DecodePool, DecodeThreads])


@every_way
async def test_the_pixels_are_those_of_the_plain_decoder(way: Callable[..., Decoder]) -> None:
    async with way(np.asarray, POLICY) as decoder:
        decoded = await asyncio.gather(*map(decoder.decode, PHOTOS))
    for data, pixels in zip(PHOTOS, decoded, strict=True):
        assert np.array_equal(pixels, np.asarray(decode_rgb(data, ImageLimits())))


@every_way
async def test_the_hint_lets_a_large_jpeg_be_decoded_smaller(way: Callable[..., Decoder]) -> None:
    async with way(np.asarray, POLICY, size_hint=250) as decoder:
        assert (await decoder.decode(encoded(quarters(2000), "JPEG"))).shape == (250, 250, 3)


@every_way
async def test_what_is_refused_is_refused_with_its_reason(way: Callable[..., Decoder]) -> None:
    refused = {
        b"no image": RejectReason.UNSUPPORTED_FORMAT,
        encoded(quarters(), "PNG")[:100]: RejectReason.DECODE_FAILED,
        scan_bomb(64, 101): RejectReason.TOO_MANY_SCANS,
        bytes(ImageLimits().max_bytes + 1): RejectReason.TOO_MANY_BYTES,
    }
    async with way(np.asarray, POLICY) as decoder:
        for data, reason in refused.items():
            with pytest.raises(PoisonInput) as caught:
                await decoder.decode(data)
            assert caught.value.reason is reason


@every_way
async def test_only_what_was_decoded_is_observed(way: Callable[..., Decoder]) -> None:
    seconds: list[float] = []
    ticks = iter([10.0, 12.5, 20.0])
    async with way(np.asarray, POLICY, observe=seconds.append, clock=lambda: next(ticks)) as decoder:
        await decoder.decode(PHOTOS[0])
        with pytest.raises(PoisonInput):
            await decoder.decode(b"no image")
    assert seconds == [2.5]
