"""Real processes, which really hang, crash and grow."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.encoders.pixels.preprocessing import Preprocessing
from shared.events.faults import PoisonInput, RejectReason, TransientFault
from shared.imaging.decoders.policy import DecodePolicy
from shared.imaging.decoders.pool import DecodePool
from shared.imaging.guard import ImageLimits
from tests.unit.imaging.bombs import scan_bomb
from tests.unit.imaging.decoders.misbehaviour import NOTE, Order, obey
from tests.unit.imaging.pictures import encoded, needs_heic, quarters

ONE = DecodePolicy(processes=1)
MEBIBYTE = 1024 * 1024


async def rejection(pool: DecodePool, data: bytes) -> PoisonInput:
    with pytest.raises(PoisonInput) as caught:
        await pool.decode(data)
    return caught.value


async def shows(pool: DecodePool, image: Image.Image) -> bool:
    return np.array_equal(await pool.decode(encoded(image, "PNG")), np.asarray(image))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def loaded_by(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def test_a_refused_image_leaves_its_decoder_alive() -> None:
    async with DecodePool(np.asarray, ONE) as pool:
        [child] = pool.pids
        for data in (b"no image", encoded(quarters(), "PNG")[:100], scan_bomb(64, 101), bytes(33 * MEBIBYTE)):
            await rejection(pool, data)
        assert await shows(pool, quarters())
        assert pool.pids == [child]


async def test_only_the_image_at_hand_is_lost() -> None:
    deeds = {
        Order.SEGFAULT: (RejectReason.DECODER_CRASHED, "SIGSEGV"),
        Order.ABORT: (RejectReason.DECODER_CRASHED, "SIGABRT"),
        Order.EXIT: (RejectReason.DECODER_CRASHED, "exit status 3"),
        Order.BE_KILLED: (RejectReason.DECODER_CRASHED, "SIGKILL"),
        Order.SPIN: (RejectReason.DECODE_TIMEOUT, "0.3 s of a processor"),
        Order.GROW: (RejectReason.TOO_MUCH_MEMORY, "memory"),
    }
    innocent = [quarters(side) for side in range(20, 60, 2)]
    async with DecodePool(obey, DecodePolicy(processes=2, max_cpu_s=0.3)) as pool:
        files = [order.file() for order in deeds] + [encoded(image, "PNG") for image in innocent]
        outcomes = await asyncio.gather(*map(pool.decode, files), return_exceptions=True)
    for (reason, says), lost in zip(deeds.values(), outcomes[: len(deeds)], strict=True):
        assert isinstance(lost, PoisonInput)
        assert lost.reason is reason
        assert says in lost.detail
    for image, kept in zip(innocent, outcomes[len(deeds) :], strict=True):
        assert np.array_equal(kept, np.asarray(image))


@pytest.mark.parametrize("order", [Order.SLEEP, Order.STOP])
async def test_a_decoder_that_only_waits_is_stopped_by_the_clock_on_the_wall(order: Order) -> None:
    async with DecodePool(obey, DecodePolicy(processes=1, max_cpu_s=1, deadline_s=1)) as pool:
        fault = await rejection(pool, order.file())
        assert (fault.reason, "after 1 s;" in fault.detail) == (RejectReason.DECODE_TIMEOUT, True)
        assert await shows(pool, quarters())


async def test_an_image_after_a_crash_is_decoded_by_a_new_child() -> None:
    async with DecodePool(obey, ONE) as pool:
        [before] = pool.pids
        await rejection(pool, Order.SEGFAULT.file())
        assert await shows(pool, quarters())
        assert pool.pids != [before]
        assert not is_alive(before)


async def test_an_image_whose_decoder_is_killed_from_outside_gets_a_second_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NOTE, str(tmp_path / "killed"))
    async with DecodePool(obey, ONE) as pool:
        assert (await pool.decode(Order.BE_KILLED_ONCE.file())).shape == (8, Order.BE_KILLED_ONCE, 3)


async def test_a_child_that_is_killed_while_idle_costs_no_image() -> None:
    async with DecodePool(obey, ONE) as pool:
        os.kill(pool.pids[0], signal.SIGKILL)
        assert await shows(pool, quarters())


@pytest.mark.parametrize("polite", [signal.SIGINT, signal.SIGTERM])
async def test_what_asks_a_whole_group_to_end_leaves_the_decoders_to_their_worker(polite: signal.Signals) -> None:
    async with DecodePool(obey, ONE) as pool:
        [child] = pool.pids
        os.kill(child, polite)
        assert await shows(pool, quarters())
        assert pool.pids == [child]


async def test_a_real_scan_bomb_is_stopped_by_the_clock_of_the_processor() -> None:
    policy = DecodePolicy(processes=1, limits=ImageLimits(max_scans=10_000), max_cpu_s=0.5)
    bomb = await asyncio.to_thread(scan_bomb, 4000, 3000)
    async with DecodePool(np.asarray, policy, size_hint=448) as pool:
        assert (await rejection(pool, bomb)).reason is RejectReason.DECODE_TIMEOUT


async def test_no_format_gets_more_memory_than_the_limit() -> None:
    formats: dict[str, dict[str, object]] = {
        "PNG": {},
        "GIF": {},
        "BMP": {},
        "TIFF": {"compression": "tiff_lzw"},
        "WEBP": {"lossless": True, "method": 0, "quality": 0},
        "AVIF": {"speed": 10},
        "JPEG": {"progressive": True, "subsampling": "4:4:4"},
    }
    large = Image.new("RGB", (3300, 3300))
    async with DecodePool(np.asarray, DecodePolicy(processes=1, max_memory_bytes=40 * MEBIBYTE), size_hint=100) as pool:
        [child] = pool.pids
        for file_format, options in formats.items():
            bomb = await asyncio.to_thread(encoded, large, file_format, **options)
            assert (await rejection(pool, bomb)).reason is RejectReason.TOO_MUCH_MEMORY, file_format
            assert (await pool.decode(encoded(quarters(), file_format, **options))).shape == (64, 64, 3)
        assert pool.pids == [child]


@needs_heic
async def test_a_heic_gets_no_more_memory_than_the_limit() -> None:
    bomb = await asyncio.to_thread(encoded, Image.new("RGB", (3300, 3300)), "HEIF")
    async with DecodePool(np.asarray, DecodePolicy(processes=1, max_memory_bytes=40 * MEBIBYTE)) as pool:
        [child] = pool.pids
        for _ in range(3):
            assert (await rejection(pool, bomb)).reason is RejectReason.TOO_MUCH_MEMORY
            assert (await pool.decode(encoded(quarters(), "HEIF"))).shape == (64, 64, 3)
        assert pool.pids == [child]


async def test_a_damaged_file_is_not_taken_for_a_large_one() -> None:
    async with DecodePool(np.asarray, ONE) as pool:
        for file_format in ("JPEG", "WEBP", "AVIF", "TIFF"):
            damaged = encoded(quarters(), file_format)[:-40]
            assert (await rejection(pool, damaged)).reason is RejectReason.DECODE_FAILED


async def test_a_cancelled_caller_harms_nobody_else() -> None:
    async with DecodePool(obey, DecodePolicy(processes=1, max_cpu_s=0.5, deadline_s=0.5)) as pool:
        waiting = asyncio.create_task(pool.decode(Order.SLEEP.file()))
        await asyncio.sleep(0)
        waiting.cancel()
        assert await shows(pool, quarters())


async def test_a_decoder_gives_way_to_a_fresh_one_after_its_share_of_images() -> None:
    async with DecodePool(np.asarray, DecodePolicy(processes=1, max_images=2)) as pool:
        seen = []
        for _ in range(4):
            assert await shows(pool, quarters())
            seen += pool.pids
        assert seen[0] == seen[1] != seen[2] == seen[3]


async def test_a_decoder_is_light() -> None:
    async with DecodePool(obey, ONE) as pool:
        modules = bytes(await pool.decode(Order.LIST_MODULES.file())).decode().split()
    assert "shared.imaging.decode" in modules
    assert not {"torch", "aiohttp", "aiokafka", "asyncio"} & set(modules)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows what a process has loaded")
async def test_an_encoders_preprocessing_brings_no_torch_into_the_decoder() -> None:
    plain = Preprocessing(crop=32, resize=40, interpolation="bicubic", mean=(0, 0, 0), std=(1, 1, 1))
    async with DecodePool(plain.to_pixels, ONE, size_hint=plain.decode_size) as pool:
        assert (await pool.decode(encoded(quarters(), "JPEG"))).shape == (3, 32, 32)
        loaded = loaded_by(pool.pids[0])
    assert "/PIL/" in loaded
    assert "torch" not in loaded


async def test_nothing_is_left_when_the_pool_is_closed() -> None:
    async with DecodePool(np.asarray, DecodePolicy(processes=2)) as pool:
        children = pool.pids
        assert len(children) == 2
    assert pool.pids == []
    assert not any(map(is_alive, children))


async def test_a_decoder_that_cannot_start_is_no_fault_of_an_image() -> None:
    with pytest.raises(TransientFault, match="did not start"):
        async with DecodePool(np.asarray, DecodePolicy(processes=2, start_s=0.001)):
            raise AssertionError


WORKER_THAT_DIES = """
import asyncio, os, signal
from shared.imaging.decoders.policy import DecodePolicy
from shared.imaging.decoders.pool import DecodePool
from tests.unit.imaging.decoders.misbehaviour import Order, obey

async def main():
    async with DecodePool(obey, DecodePolicy(processes=2, max_cpu_s=1, deadline_s=1)) as pool:
        print(*pool.pids, flush=True)
        at_work = asyncio.create_task(pool.decode(Order.SPIN.file()))
        await asyncio.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_decoders_do_not_outlive_a_worker_that_is_killed() -> None:
    worker = subprocess.run([sys.executable, "-c", WORKER_THAT_DIES], stdout=subprocess.PIPE, check=False)
    children = [int(pid) for pid in worker.stdout.split()]
    assert len(children) == 2
    until(lambda: not any(map(is_alive, children)))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("processes", 0),
        ("max_cpu_s", 0),
        ("deadline_s", -1),
        ("deadline_s", 1),
        ("max_memory_bytes", 0),
        ("max_images", 0),
    ],
)
def test_a_policy_that_cannot_work_is_a_mistake(setting: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{setting} is {value}"):
        DecodePolicy(**{setting: value})
