"""Putting a snapshot in place of what a store has lost of a shard, where that is safe."""

from collections.abc import Iterable
from pathlib import Path

from shared.events.operations import Operation, Upsert
from shared.events.topics import CLOCKS_DIFFER_MS, DELETES_TOLD_MS
from shared.index.sealed.description import CorruptSegment
from shared.index.sealed.segment import SealedSegment
from shared.index.shard import Shard
from shared.replication.store.copying import (
    Advance,
    StoredManifest,
    copy_manifest,
    fetch_verified,
    folder_of,
    is_whole,
    stored_manifests,
)
from shared.replication.store.manifest import Manifest
from shared.replication.store.objects import ObjectStore
from shared.replication.store.segment_store import position_of

_DAY_MS = 24 * 60 * 60 * 1000


class NotRestorable(Exception):
    """The snapshot cannot take the place of the store; the text says why. Nothing was changed."""


def newest_of(source: ObjectStore, shard: int, *, incarnation: str) -> StoredManifest:
    """The newest manifest of a snapshot. Raises NotRestorable, StoreUnavailable."""
    stored = next(stored_manifests(source, shard, incarnation=incarnation), None)
    if stored is not None:
        return stored
    others = [f"{cluster}/{topic}" for cluster in sorted(source.names("")) for topic in sorted(source.names(cluster))]
    if others and incarnation not in others:
        raise NotRestorable(f"it is of {', '.join(others)}, and this is {incarnation}: their offsets do not compare")
    raise NotRestorable("it has no whole manifest")


def check_manifest(manifest: Manifest, *, first: int, end: int, now_ms: int) -> None:
    """See that the workers can go on from a manifest. Raises NotRestorable.

    first: the offset of the oldest record that Kafka keeps. end: that of the next one.
    """
    age_ms = now_ms - manifest.written_at
    if age_ms < -CLOCKS_DIFFER_MS:
        raise NotRestorable(f"it was written {-age_ms // _DAY_MS} days from now: a clock is wrong, here or there")
    if age_ms >= DELETES_TOLD_MS:
        raise NotRestorable(
            f"it was written {age_ms // _DAY_MS} days ago, and is good for {DELETES_TOLD_MS // _DAY_MS}: Kafka forgets "
            "deletes, so that what was deleted since could come back. Let the indexer read Kafka from the beginning"
        )
    if manifest.position >= end:
        raise NotRestorable(
            f"it reaches offset {manifest.position}, and the topic ends before {end}: it is of another topic, "
            "or the topic lost records"
        )
    if first > manifest.position + 1:
        raise NotRestorable(
            f"it reaches offset {manifest.position}, and the oldest record that Kafka keeps is {first}: what is "
            "between cannot be read again"
        )


def check_target(target: ObjectStore, manifest: Manifest, scratch: Path) -> None:
    """See that the store has nothing as new and whole. Reads what is as new. Raises NotRestorable, StoreUnavailable."""
    for stored in stored_manifests(target, manifest.shard, incarnation=manifest.incarnation):
        if stored.manifest.position >= manifest.position and is_whole(target, stored, scratch):
            raise NotRestorable(
                f"it reaches offset {manifest.position}, and the store has a whole manifest of offset "
                f"{stored.manifest.position}: there is nothing to restore"
            )


def open_snapshot(source: ObjectStore, stored: StoredManifest, scratch: Path, advance: Advance) -> Shard:
    """Fetch and verify all that a manifest names, and open it. Raises NotRestorable, StoreUnavailable."""
    manifest, segments = stored.manifest, []
    for segment in manifest.segments:
        description = segment.description
        folder = scratch / description.name
        folder.mkdir()
        for name, file in description.files.items():
            try:
                fetch_verified(source, f"{folder_of(manifest, description)}/{name}", file, folder / name)
            except FileNotFoundError as error:
                raise NotRestorable(f"it lacks {name} of the segment {description.name}") from error
            except CorruptSegment as error:
                raise NotRestorable(str(error)) from error
            advance(file.bytes)
        try:
            segments.append(SealedSegment(folder, description))
        except ValueError as error:
            raise NotRestorable(f"this release does not read the segment {description.name}: {error}") from error
    return Shard.restored(manifest.contents(), segments)


def check_history(shard: Shard, operations: Iterable[Operation], *, scheme: str | None) -> None:
    """See that the shard is a fold of the topic that is there now. Raises NotRestorable.

    operations: records of the topic at or before the shard's position. scheme: of the topic's first upsert. A topic
    that was deleted and created anew has the same name and the same offsets, for other images.
    """
    if None not in (scheme, shard.scheme) and scheme != shard.scheme:
        raise NotRestorable(f"its codes are of scheme {shard.scheme}, and those in Kafka of {scheme}")
    upserts = [op for op in operations if isinstance(op, Upsert) and op.scheme == shard.scheme]
    if upserts and not any(_led_to(shard, upsert) for upsert in upserts):
        raise NotRestorable(
            f"it knows none of the {len(upserts)} images that Kafka has just before offset {shard.position}: it is of "
            "another topic of the same name"
        )


def put_in_place(
    source: ObjectStore, target: ObjectStore, stored: StoredManifest, scratch: Path, advance: Advance
) -> None:
    """Copy it to the store; manifests of later positions there, which are damaged, go. Raises StoreUnavailable."""
    copy_manifest(source, target, stored, scratch, advance)
    folder = stored.path.rpartition("/")[0]
    later = [name for name in target.names(folder) if position_of(name) > stored.manifest.position]
    target.delete(f"{folder}/{name}" for name in later)


def _led_to(shard: Shard, upsert: Upsert) -> bool:
    """Whether the shard knows the image of an upsert, by this or a later upload."""
    if not shard.knows(upsert.id):
        return False
    return shard.winner(upsert.id, offset=upsert.offset).source.offset >= upsert.source.offset
