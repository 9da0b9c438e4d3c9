"""Taking the snapshot of one shard. It blocks, and takes as long as the shard is large."""

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from services.cli.failures import Failure
from services.cli.progress import Bytes
from shared.index.sealed.description import CorruptSegment
from shared.replication.store.copying import StoredManifest, copy_manifest, stored_manifests
from shared.replication.store.objects import ObjectStore, StoreUnavailable

_TRIES = 3


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What was copied of a shard. position: the offset that it is the fold of; None where nothing is sealed.

    images: those that are current. bytes: of its segments; copied: of those that were not there yet. sealed_at: Unix
    milliseconds.
    """

    shard: int
    position: int | None = None
    images: int = 0
    segments: int = 0
    bytes: int = 0
    copied: int = 0
    sealed_at: int = 0


def take_snapshot(source: ObjectStore, target: ObjectStore, shard: int, *, incarnation: str, bar: Bytes) -> Snapshot:
    """Copy what the newest manifest of a shard names, and the manifest last. Raises Failure."""
    for _ in range(_TRIES):
        try:
            stored = next(stored_manifests(source, shard, incarnation=incarnation), None)
            if stored is None:
                bar.end(f"shard {shard}: nothing is sealed")
                return Snapshot(shard=shard)
            bar.begin(stored.bytes)
            with TemporaryDirectory(prefix="afterimage-snapshot-") as scratch:
                copied = copy_manifest(source, target, stored, Path(scratch), bar.advance)
        except FileNotFoundError:  # the indexer has published newer ones meanwhile, and swept this one's files away
            continue
        except CorruptSegment as error:
            raise Failure(
                f"shard {shard}: {error}. Nothing is lost, since Kafka has it all: restart the indexer, which passes "
                "over what is damaged and seals it again"
            ) from error
        except StoreUnavailable as error:
            raise Failure(str(error)) from error
        bar.end(f"shard {shard}: copied")
        return _described(stored, copied)
    raise Failure(f"the segments of shard {shard} were replaced faster than they could be copied: try again")


def _described(stored: StoredManifest, copied: int) -> Snapshot:
    manifest = stored.manifest
    return Snapshot(
        shard=manifest.shard,
        position=manifest.position,
        images=sum(int(np.count_nonzero(part.live)) for part in manifest.contents().sealed.values()),
        segments=len(manifest.segments),
        bytes=stored.bytes,
        copied=copied,
        sealed_at=manifest.written_at,
    )
