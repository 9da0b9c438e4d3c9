"""Every bomb that we know of, one after the other through one decoder, with good images in between."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.decode import decode_rgb
from shared.imaging.decoders.policy import DecodePolicy, Pixels
from shared.imaging.decoders.pool import DecodePool
from shared.imaging.guard import ImageLimits
from shared.imaging.heif import register_heif
from tests.integration.image_corpus import heif_corpus, pillow_corpus
from tests.unit.imaging import bombs
from tests.unit.imaging.decoders.misbehaviour import Order, obey
from tests.unit.imaging.handmade import png
from tests.unit.imaging.pictures import encoded, quarters

SIDE = 7000
"""Of the largest square that passes the guard."""
PHOTOS = [photo.read_bytes() for photo in sorted(Path("tests/data/photos").glob("*/*.webp"))]
MAX_CPU_S = 5.0
MAX_MEMORY = 512 * 1024 * 1024
REFUSALS = set(RejectReason) - {RejectReason.DECODE_TIMEOUT, RejectReason.DECODER_CRASHED}
"""These two would have cost the decoder its life."""


def flat(file_format: str, *, mode: str = "RGB", **options: object) -> bytes:
    return encoded(Image.new(mode, (SIDE, SIDE), "red"), file_format, **options)


BOMBS: dict[str, Callable[[], bytes]] = {
    "pixels just allowed, PNG": lambda: flat("PNG"),
    "pixels just allowed, PNG of 16 bits": lambda: png(
        SIDE, SIDE, bits=16, colours=6, rows=bytes((8 * SIDE + 1) * SIDE)
    ),
    "pixels just allowed, GIF": lambda: flat("GIF", mode="P"),
    "pixels just allowed, JPEG": lambda: flat("JPEG"),
    "pixels just allowed, progressive JPEG": lambda: flat("JPEG", progressive=True, subsampling="4:4:4"),
    "pixels just allowed, TIFF": lambda: flat("TIFF", compression="tiff_adobe_deflate"),
    "pixels just allowed, WebP": lambda: flat("WEBP", lossless=True, method=0, quality=0),
    "pixels just allowed, AVIF": lambda: flat("AVIF", speed=10),
    "pixels": lambda: bombs.pixel_bomb(60_000, 60_000),
    "pixels of a TIFF": lambda: bombs.strip_bomb(256, 2**31),
    "chunks": lambda: bombs.chunk_bomb(200_000),
    "segments": lambda: bombs.segment_bomb(200_000),
    "markers without an end": lambda: encoded(quarters(), "JPEG")[:-2] + b"\xff\1" * 5_000_000,
    "scans": lambda: bombs.scan_bomb(4000, 101),
    "scans just allowed": lambda: bombs.scan_bomb(2000, 100),
    "frames of a GIF": lambda: bombs.frame_bomb(60),
    "frames of a PNG": lambda: animation("PNG"),
    "frames of a WebP": lambda: animation("WEBP"),
    "frames of an AVIF": lambda: animation("AVIF", frames=200),
    "pages": lambda: bombs.page_bomb(100_000),
    "pages in a circle": lambda: bombs.page_bomb(3, endless=True),
    "strips without number": lambda: bombs.strip_bomb(273, 8, 2**32 - 1),
    "a strip of 4 GB": lambda: bombs.strip_bomb(279, 2**32 - 1),
    "layers without number": lambda: bombs.strip_bomb(277, 65_535),
    "text": lambda: bombs.text_bomb(b"zTXt", 300),
    "translated text": lambda: bombs.text_bomb(b"iTXt", 300),
    "a profile of 300 MB": lambda: bombs.text_bomb(b"iCCP", 300),
    "a profile of endless formulas": lambda: encoded(quarters(), "WEBP", icc_profile=bombs.profile_bomb(50_000)),
    "remarks": lambda: bombs.comment_bomb(1_000_000),
    "runs of nothing": lambda: bombs.run_length_bomb(SIDE),
    "a page that says GIF": lambda: b"GIF89a<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "a drawing": lambda: b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    "an archive that says BMP": lambda: b"BM" + b"PK\3\4" * 1000,
    "an archive behind a picture": lambda: encoded(quarters(), "JPEG") + b"PK\3\4" * 100_000,
}


def animation(file_format: str, frames: int = 3000) -> bytes:
    first, *others = [Image.new("RGB", (32, 32), (number % 256, number // 256, 0)) for number in range(frames)]
    return encoded(first, file_format, save_all=True, append_images=others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    name: str
    cpu_s: float
    reason: RejectReason | None


def cpu_s(pid: int) -> float:
    """What a process has used of processors."""
    user, system = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever had resident."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    [peak] = [1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return peak


async def cost(pool: DecodePool, name: str, data: bytes) -> Cost:
    [decoder] = pool.pids
    before, reason = cpu_s(decoder), None
    try:
        await pool.decode(data)
    except PoisonInput as fault:
        reason = fault.reason
    assert pool.pids == [decoder], f"the decoder died of {name!r}"
    return Cost(name=name, cpu_s=cpu_s(decoder) - before, reason=reason)


def thumbnail(image: Image.Image) -> Pixels:
    return np.asarray(image.resize((64, 64)))


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells what a process costs")


@pytest.mark.slow
async def test_no_bomb_costs_more_than_itself(capsys: pytest.CaptureFixture[str]) -> None:
    expected = [thumbnail(decode_rgb(photo, ImageLimits(), 64)) for photo in PHOTOS]
    hostile = {name: bomb() for name, bomb in BOMBS.items()}
    if register_heif():
        hostile["25 million pixels of a HEIC"] = encoded(Image.new("RGB", (5000, 5000), "red"), "HEIF")
    costs = []
    async with DecodePool(thumbnail, DecodePolicy(processes=1), size_hint=64) as pool:
        [decoder] = pool.pids
        idle = peak_bytes(decoder)
        for number, (name, data) in enumerate(hostile.items()):
            costs.append(await cost(pool, name, data))
            good = number % len(PHOTOS)
            assert np.array_equal(await pool.decode(PHOTOS[good]), expected[good]), name
        peak = peak_bytes(decoder) - idle
    dearest = max(costs, key=lambda one: one.cpu_s)
    with capsys.disabled():
        print(f"\n{len(costs)} bombs: at most {dearest.cpu_s:.2f} s of a processor ({dearest.name}), {peak >> 20} MiB")  # noqa: T201 -- what was measured
    assert [one for one in costs if one.reason is not None and one.reason not in REFUSALS] == []
    assert dearest.cpu_s < MAX_CPU_S
    assert peak < MAX_MEMORY


@pytest.mark.slow
async def test_no_file_of_the_corpus_costs_more_than_it_may(capsys: pytest.CaptureFixture[str]) -> None:
    async with DecodePool(thumbnail, DecodePolicy(processes=1), size_hint=64) as pool:
        [decoder] = pool.pids
        idle = peak_bytes(decoder)
        files = pillow_corpus() | (heif_corpus() if register_heif() else {})
        costs = [await cost(pool, name, data) for name, data in files.items()]
        peak = peak_bytes(decoder) - idle
    dearest = max(costs, key=lambda one: one.cpu_s)
    with capsys.disabled():
        print(f"\n{len(costs)} files: at most {dearest.cpu_s:.2f} s of a processor ({dearest.name}), {peak >> 20} MiB")  # noqa: T201 -- what was measured
    assert dearest.cpu_s < MAX_CPU_S
    assert peak < MAX_MEMORY


async def test_decoders_that_die_by_the_dozen_cost_no_other_image() -> None:
    deadly = [Order.SEGFAULT.file(), Order.ABORT.file(), Order.EXIT.file(), bombs.pixel_bomb(60_000, 60_000)]
    files = [file for photo in PHOTOS[:12] for file in (photo, deadly[len(photo) % len(deadly)])]
    async with DecodePool(obey, DecodePolicy(processes=2)) as pool:
        outcomes = await asyncio.gather(*map(pool.decode, files), return_exceptions=True)
        assert np.array_equal(await pool.decode(PHOTOS[0]), outcomes[0])
    for photo, kept in zip(PHOTOS[:12], outcomes[::2], strict=True):
        assert np.array_equal(kept, np.asarray(decode_rgb(photo, ImageLimits())))
    assert {fault.reason for fault in outcomes[1::2]} <= {RejectReason.DECODER_CRASHED, RejectReason.TOO_MANY_PIXELS}
