"""Part 3: from handing an image over to its being searchable, against the bare hops and the bare work between."""

import asyncio
import time

from benchmarks.bare import BareExtraction
from benchmarks.bare_bus import HOP, bare_channel, bare_topics
from benchmarks.clock import Lap
from benchmarks.laps import Laps
from benchmarks.photos import photos
from benchmarks.plan import Plan
from benchmarks.stack import Stack
from benchmarks.table import Part, counted
from benchmarks.worker_metrics import WorkerMetrics
from shared.client import AfterimageClient
from shared.events.upload_forms import UploadImage
from shared.events.uploads import write_native
from tests.harness.workers import WorkerProcess

_WARM_UP = 10
_TIMEOUT_S = 60.0
_RECORD_BYTES = 200
"""What a feature record, an operation and a receipt hold beside the code, about."""
_COUNT = "afterimage_time_to_searchable_seconds_count"
_SUM = "afterimage_time_to_searchable_seconds_sum"

_FOR_SEARCHER = ("hop uploaded", "extract", "hop features", "redis publish")
_FOR_CLIENT = (*_FOR_SEARCHER, "hop receipt")


async def measure(
    plan: Plan, bare: BareExtraction, client: AfterimageClient, stack: Stack, searcher: WorkerProcess
) -> Part:
    """One upload at a time. Each repetition times the upload and all of its parts."""
    laps = Laps(warm_up=_WARM_UP)
    there = _SearchableThere(WorkerMetrics(searcher))
    async with (
        bare_topics(stack.bootstrap_servers, to=HOP.name, back=HOP.name) as hop,
        bare_channel(stack.redis_url) as channel,
    ):
        for number in counted("searchable", _WARM_UP + plan.uploads):
            image = photos()[number % len(photos())]
            image_id = f"searchable-{number}"
            await there.prepare()
            searchable = await client.wait_searchable(await client.upload(image_id, data=image), timeout_s=_TIMEOUT_S)
            laps.add("upload → receipt", 1000 * searchable.after_s)
            laps.add("upload → searchable", await there.measured_ms())
            upload = write_native(UploadImage(id=image_id, data=image))
            for name, size in (
                ("hop uploaded", len(upload)),
                ("hop features", bare.code_bytes + _RECORD_BYTES),
                ("hop receipt", _RECORD_BYTES),
            ):
                with Lap() as lap:
                    await hop.round(bytes(size))
                laps.add(name, lap.ms)
            with Lap() as lap:
                bare.extract(image)
            laps.add("extract", lap.ms)
            with Lap() as lap:
                await channel.round(bytes(bare.code_bytes + _RECORD_BYTES))
            laps.add("redis publish", lap.ms)
    return _part(laps)


def _part(laps: Laps) -> Part:
    receipt, receipt_parts = laps.measured("upload → receipt"), laps.total("its parts", _FOR_CLIENT)
    searchable, searchable_parts = laps.measured("upload → searchable"), laps.total("its parts", _FOR_SEARCHER)
    return Part(
        title="3. Time to searchable, one at a time",
        unit="ms",
        rows=[receipt, receipt_parts, searchable, searchable_parts, *(laps.measured(name) for name in _FOR_CLIENT)],
        ratios={
            "searchable_p50_over_parts": receipt.p50 / receipt_parts.p50,
            "searchable_p99_over_parts": receipt.p99 / receipt_parts.p99,
            "searchable_at_searcher_p50_over_parts": searchable.p50 / searchable_parts.p50,
        },
        notes=[
            "receipt: heard by the client that uploaded",
            "searchable: by the searcher's metrics, from the record's timestamp, which is in whole milliseconds",
        ],
    )


class _SearchableThere:
    """How long the searcher says that the last upload took: the growth of its histogram's sum, once it counts one."""

    def __init__(self, metrics: WorkerMetrics) -> None:
        self._metrics = metrics
        self._count = 0.0
        self._sum = 0.0

    async def prepare(self) -> None:
        self._count, self._sum = await self._read()

    async def measured_ms(self) -> float:
        deadline = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < deadline:
            count, total = await self._read()
            if count > self._count:
                return 1000 * (total - self._sum)
            await asyncio.sleep(0.01)
        raise TimeoutError(f"the searcher did not count the upload within {_TIMEOUT_S:.0f} s")

    async def _read(self) -> tuple[float, float]:
        return await asyncio.to_thread(lambda: (self._metrics.total(_COUNT), self._metrics.total(_SUM)))
