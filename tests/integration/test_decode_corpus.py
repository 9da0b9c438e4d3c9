"""Whatever people upload, and what nobody should."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.decoders.policy import DecodePolicy, Pixels
from shared.imaging.decoders.pool import DecodePool
from tests.integration.image_corpus import heif_corpus, pillow_corpus
from tests.unit.imaging.pictures import needs_heic

EXPECTED = {
    RejectReason.UNSUPPORTED_FORMAT,
    RejectReason.DECODE_FAILED,
    RejectReason.TOO_MANY_PIXELS,
    RejectReason.TOO_MUCH_MEMORY,
}
"""A timeout or a crash would have cost a decoder its life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    name: str
    seconds: float
    reason: RejectReason | None


def whole(data: bytes) -> bytes:
    return data


def cut_in_half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def with_a_byte_in_fifty_inverted(data: bytes) -> bytes:
    """Damage behind the signature, the same in every run."""
    damaged = np.frombuffer(data, dtype=np.uint8).copy()
    places = np.random.default_rng(len(data)).integers(len(data), size=len(data) // 50)
    damaged[places[places >= 16]] ^= 0xFF
    return damaged.tobytes()


def thumbnail(image: Image.Image) -> Pixels:
    return np.asarray(image.resize((64, 64)))


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever had resident; 0 where the system does not say."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


@pytest.fixture(scope="module")
def corpus() -> dict[str, bytes]:
    return pillow_corpus()


async def outcome(pool: DecodePool, name: str, data: bytes) -> Outcome:
    started, reason = time.perf_counter(), None
    try:
        assert (await pool.decode(data)).shape == (64, 64, 3)
    except PoisonInput as fault:
        reason = fault.reason
    return Outcome(name=name, seconds=time.perf_counter() - started, reason=reason)


async def outcomes(pool: DecodePool, files: dict[str, bytes]) -> list[Outcome]:
    """Two at a time, so that none waits for a decoder while its time is taken."""
    left = iter(files.items())

    async def work() -> list[Outcome]:
        return [await outcome(pool, name, data) for name, data in left]

    first, second = await asyncio.gather(work(), work())
    return first + second


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "at_least_decoded"), [(whole, 680), (cut_in_half, 50), (with_a_byte_in_fifty_inverted, 50)]
)
async def test_every_file_is_decoded_or_rejected_with_a_reason_and_no_decoder_dies(
    corpus: dict[str, bytes], damage: Callable[[bytes], bytes], at_least_decoded: int
) -> None:
    files = {name: damage(data) for name, data in corpus.items()}
    async with DecodePool(thumbnail, DecodePolicy(processes=2), size_hint=64) as pool:
        decoders = pool.pids
        done = await outcomes(pool, files)
        assert pool.pids == decoders
        assert (
            max(map(peak_bytes, decoders)) < 600 * 1024 * 1024
        )  # the limit for an image, and what an idle decoder has
    assert len(done) == len(files) > 1000
    assert [one for one in done if one.reason is not None and one.reason not in EXPECTED] == []
    assert [one for one in done if one.seconds > 5] == []
    assert sum(one.reason is None for one in done) >= at_least_decoded


@needs_heic
async def test_the_pictures_of_phones_in_heic_are_read() -> None:
    files = {name: data for name, data in heif_corpus().items() if data}
    refused = {
        "200MP.heic": RejectReason.TOO_MANY_PIXELS,
        "corrupted.heic": RejectReason.DECODE_FAILED,
        "truncated.heic": RejectReason.DECODE_FAILED,
    }
    async with DecodePool(thumbnail, DecodePolicy(processes=2), size_hint=64) as pool:
        decoders = pool.pids
        done = await outcomes(pool, files)
        assert pool.pids == decoders
    assert {one.name: one.reason for one in done if one.reason} == refused
    assert len(done) > 40
