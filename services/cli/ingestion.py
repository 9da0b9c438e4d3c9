"""Uploading many images: a bounded number under way, a progress bar, and a count of what became of them."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console

from services.cli.progress import counting
from services.cli.sources import Source
from shared.client import AfterimageClient, Sent, UploadRejected

MAX_UNDER_WAY = 512


@dataclass(slots=True)
class Ingested:
    """What became of the images. searchable_s: seconds from handing each over to its being searchable."""

    searchable_s: list[float] = field(default_factory=list)
    rejected: dict[str, UploadRejected] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def indexed(self) -> int:
        return len(self.searchable_s)

    @property
    def rate(self) -> float:
        """Images a second."""
        return (self.indexed + len(self.rejected)) / self.seconds if self.seconds else 0.0

    def reasons(self) -> list[tuple[str, int]]:
        return Counter(str(failure.reject.reason) for failure in self.rejected.values()).most_common()


class Upload(Protocol):
    """Hands one image over."""

    async def __call__(self, source: Source) -> Sent: ...


async def ingest(
    client: AfterimageClient, sources: Sequence[Source], upload: Upload, *, timeout_s: float, console: Console
) -> Ingested:
    """Upload the images, and wait until each is searchable or rejected. Raises NoAnswer, BusUnavailable."""
    result = Ingested()
    room = asyncio.Semaphore(MAX_UNDER_WAY)
    began = time.monotonic()
    with counting(console) as progress:
        bar = progress.add_task("indexing", total=len(sources))

        async def one(source: Source) -> None:
            try:
                searchable = await client.wait_searchable(await upload(source), timeout_s=timeout_s)
                result.searchable_s.append(searchable.after_s)
            except UploadRejected as failure:
                result.rejected[source.id] = failure
            finally:
                room.release()
            result.seconds = time.monotonic() - began
            rejected = f"{len(result.rejected)} rejected" if result.rejected else ""
            progress.update(bar, advance=1, rate=f"{result.rate:.0f}/s", bad=rejected)

        try:
            async with asyncio.TaskGroup() as tasks:
                for source in sources:
                    await room.acquire()
                    tasks.create_task(one(source))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
    return result


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)] if ordered else 0.0
