"""Does memory stay flat? ``python -m benchmarks.extract.endurance --images 100000``. The last line is JSON.

A stream of images that all differ goes through a real extractor; what it and its decoders hold is noted now and then.
"""

import argparse
import asyncio
import io
import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np
from PIL import Image

from benchmarks.arrivals import Arrivals
from benchmarks.machine import describe
from benchmarks.memory import MIB, group_members, resident_bytes
from benchmarks.photos import photos
from benchmarks.stack import PARTITIONS, Stack, running_stack
from shared.bus.inbox import Inbox
from shared.bus.producer import RecordProducer
from shared.events.upload_forms import UploadImage
from shared.events.uploads import write_native
from shared.runtime.logging import configure_logging
from tests.harness.workers import WorkerProcess

_ROWS = 20
_SETTLED = 0.2
"""The part of the run that does not count for the slope: caches and heaps fill up in it."""
_CHUNK = 250
_AHEAD = 4
"""Chunks of uploads that are not features yet."""
_SIDE = 128
_FORMATS = ("JPEG", "WEBP", "PNG")
_PATIENCE_S = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Resident memory after so many images, in MiB. decoders: all of the extractor's children together.

    It is not the proportional set size: that one moves when other programs begin or cease to use the same libraries.
    """

    images: int
    images_per_s: float
    worker: float
    decoders: float

    @property
    def total(self) -> float:
        return self.worker + self.decoders


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extract.endurance", description=__doc__)
    parser.add_argument("--images", type=int, default=100_000, help="how many (%(default)s)")
    parser.add_argument(
        "--threads", type=int, default=max(1, (os.cpu_count() or 1) // 2), help="see make bench-extract"
    )
    options = parser.parse_args()
    configure_logging(level="WARNING")
    print(describe())
    with running_stack(options.threads) as (stack, broker):
        print(f"broker: {broker}")
        rows = asyncio.run(_run(stack, options.images))
    print(json.dumps(_summary(rows)))


async def _run(stack: Stack, images: int) -> list[Row]:
    [extractor] = await asyncio.to_thread(stack.start, "extractor")
    arrivals = Arrivals()
    features = {stack.topics.features: range(PARTITIONS)}
    async with (
        RecordProducer(stack.bootstrap_servers, client_id="benchmark") as producer,
        Inbox(stack.bootstrap_servers, features, arrivals.receive),
    ):
        stream = _Stream(stack.topics.uploaded, producer, arrivals)
        rows = []
        print(f"\n{'images':>9}{'images/s':>10}{'extractor':>11}{'decoders':>10}{'together':>10}  [MiB]")
        for number in range(_ROWS):
            more = images * (number + 1) // _ROWS - images * number // _ROWS
            started = time.perf_counter()
            await stream.send(more)
            row = _row(extractor, len(arrivals), more / (time.perf_counter() - started))
            print(
                f"{row.images:9}{row.images_per_s:10.1f}{row.worker:11.1f}{row.decoders:10.1f}{row.total:10.1f}",
                flush=True,
            )
            rows.append(row)
    return rows


class _Stream:
    """Uploads images in chunks, a few chunks ahead of what has come out as features."""

    def __init__(self, topic: str, producer: RecordProducer, arrivals: Arrivals) -> None:
        self._topic = topic
        self._producer = producer
        self._arrivals = arrivals
        self._pictures = _pictures()
        self._sent = 0

    async def send(self, images: int) -> None:
        """Return when all of them are features."""
        end = self._sent + images
        while self._sent < end:
            await self._heard(self._sent - _AHEAD * _CHUNK)
            chunk = min(_CHUNK, end - self._sent)
            pictures = await asyncio.to_thread(list, islice(self._pictures, chunk))
            async with asyncio.TaskGroup() as uploads:
                for picture in pictures:
                    uploads.create_task(self._upload(picture))
        await self._heard(end)

    async def _heard(self, images: int) -> None:
        if images > len(self._arrivals):
            self._arrivals.expect(images - len(self._arrivals))
            await self._arrivals.all_heard(within_s=_PATIENCE_S)

    async def _upload(self, picture: bytes) -> None:
        self._sent += 1
        event = UploadImage(id=f"endurance-{self._sent}", data=picture)
        await self._producer.send(self._topic, key=event.id.encode(), value=write_native(event))


def _pictures() -> Iterator[bytes]:
    """Small crops of the photos, in three formats, no two the same."""
    chance = random.Random(0)  # noqa: S311 - variety is wanted, not secrecy
    number = 0
    while True:
        photo = _opened()[number % len(photos())]
        left, top = chance.randrange(photo.width - _SIDE + 1), chance.randrange(photo.height - _SIDE + 1)
        cut = photo.crop((left, top, left + _SIDE, top + _SIDE))
        cut.putpixel((0, 0), (number >> 16 & 255, number >> 8 & 255, number & 255))
        data = io.BytesIO()
        cut.save(data, _FORMATS[number % len(_FORMATS)], quality=85)
        yield data.getvalue()
        number += 1


@cache
def _opened() -> list[Image.Image]:
    """The photos, the smallest of which are scaled up until a crop fits in."""
    opened = [Image.open(io.BytesIO(photo)).convert("RGB") for photo in photos()]
    return [image.resize((max(image.width, _SIDE), max(image.height, _SIDE))) for image in opened]


def _row(extractor: WorkerProcess, images: int, images_per_s: float) -> Row:
    children = [pid for pid in group_members(extractor.pid) if pid != extractor.pid]
    return Row(
        images=images,
        images_per_s=images_per_s,
        worker=resident_bytes(extractor.pid) / MIB,
        decoders=sum(map(resident_bytes, children)) / MIB,
    )


def _summary(rows: list[Row]) -> dict[str, float]:
    """growth: by the straight line through what was held after the first fifth, over as many images as that spans."""
    settled = [row for row in rows if row.images >= _SETTLED * rows[-1].images]
    span = settled[-1].images - settled[0].images
    return {
        "images": rows[-1].images,
        "settled_images": span,
        "worker_growth_mib": round(_slope(settled, [row.worker for row in settled]) * span, 2),
        "total_growth_mib": round(_slope(settled, [row.total for row in settled]) * span, 2),
        "peak_total_mib": round(max(row.total for row in rows), 1),
    }


def _slope(rows: list[Row], held: list[float]) -> float:
    """MiB an image."""
    return float(np.polyfit([row.images for row in rows], held, 1)[0])


if __name__ == "__main__":
    main()
