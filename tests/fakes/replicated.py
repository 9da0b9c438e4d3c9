"""Shards that are sealed and published in no time, without a worker."""

from pathlib import Path

from shared.index.contents import SealedPart
from shared.index.sealed.segment import SealedSegment
from shared.index.shard import Shard
from shared.replication.store.manifest import Manifest, make_manifest
from shared.replication.store.segment_store import SegmentStore
from tests.fakes.operations import INCARNATION
from tests.fakes.segments import write

NOW_MS = 1_800_000_000_000


def seal(shard: Shard, folder: Path) -> Manifest:
    """Seal the growing rows of shard 0, and describe all of it."""
    contents = shard.contents()
    sealed = dict(contents.sealed)
    if contents.rows:
        description = write(folder, contents.rows, contents.codes)
        segment = SealedSegment.open(folder / description.name, description)
        shard.exchange([segment], dropped=[])
        sealed[description.name] = SealedPart(description=description, live=segment.live)
    return make_manifest(contents, sealed, incarnation=INCARNATION, shard=0, now_ms=NOW_MS)


def publish(shard: Shard, store: SegmentStore) -> Manifest:
    manifest = seal(shard, store.folder)
    store.publish(manifest)
    return manifest
