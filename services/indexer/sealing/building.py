"""Building the segment of what has grown and of the segments that are merged with it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from shared.index.contents import ShardContents
from shared.index.sealed.building import BuildJob, PackedCodebook, SegmentBuild, Source
from shared.index.sealed.description import SegmentDescription
from shared.replication.store.segment_store import SegmentStore

Build = Callable[[BuildJob, ShardContents], Awaitable[SegmentDescription]]


def job_of(contents: ShardContents, merged: Sequence[str], store: SegmentStore) -> BuildJob:
    """What is to be built, of all rows that have grown and of the segments named."""
    vector_format = store.vector_format
    sources = [contents.sealed[name] for name in merged]
    return BuildJob(
        folder=str(store.folder),
        scheme=contents.scheme or "",
        element=vector_format.element,
        metric=vector_format.metric,
        codebook=None if vector_format.codebook is None else PackedCodebook.of(vector_format.codebook),
        sources=[Source(description=source.description, live=np.packbits(source.live).tobytes()) for source in sources],
    )


async def build_in_child(job: BuildJob, contents: ShardContents) -> SegmentDescription:
    """Build in a process that ends when this is cancelled. Raises BuildFailed, OSError."""
    build = SegmentBuild(job)
    try:
        return await asyncio.to_thread(build.run, contents.rows, contents.codes)
    finally:
        build.end()
