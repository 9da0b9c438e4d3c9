"""Copying what was sealed of a shard from one store to another, with every byte verified on the way."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from shared.index.sealed.description import CorruptSegment, FileDescription, SegmentDescription, verify_file
from shared.replication.store.manifest import CorruptManifest, Manifest, decode_manifest
from shared.replication.store.objects import ObjectStore
from shared.runtime.logging import get_logger

log = get_logger(__name__)

Advance = Callable[[int], None]
"""Called with the bytes that were dealt with since the call before."""


class StoredManifest(NamedTuple):
    """A manifest as it lies in a store. path: where. data: what it was decoded from."""

    path: str
    data: bytes
    manifest: Manifest

    @property
    def bytes(self) -> int:
        """Of the segments that it names."""
        return sum(segment.description.bytes for segment in self.manifest.segments)

    def files(self) -> Iterator[tuple[str, FileDescription]]:
        """The path of every file that it names."""
        for segment in self.manifest.segments:
            folder = folder_of(self.manifest, segment.description)
            for name, description in segment.description.files.items():
                yield f"{folder}/{name}", description


def folder_of(manifest: Manifest, segment: SegmentDescription) -> str:
    """Where the files of a segment of the manifest are in a store."""
    return f"{manifest.incarnation}/{manifest.shard}/segments/{segment.name}"


def stored_manifests(objects: ObjectStore, shard: int, *, incarnation: str) -> Iterator[StoredManifest]:
    """The manifests of a shard, newest first, without those that are damaged themselves. Raises StoreUnavailable."""
    folder = f"{incarnation}/{shard}/manifests"
    for name in sorted(objects.names(folder), reverse=True):
        path = f"{folder}/{name}"
        try:
            data = objects.read(path)
            yield StoredManifest(path, data, decode_manifest(data))
        except (CorruptManifest, FileNotFoundError) as error:
            log.warning("manifest_unusable", shard=shard, manifest=name, error=str(error))


def copy_manifest(
    source: ObjectStore, target: ObjectStore, stored: StoredManifest, scratch: Path, advance: Advance
) -> int:
    """Copy the files that a manifest names, as far as the target lacks them, and the manifest last.

    Returns the bytes that were copied. scratch: an empty folder. Raises StoreUnavailable, CorruptSegment, and
    FileNotFoundError where the source has lost a file, as when its writer swept it away; the target is as good as
    before then.
    """
    copied = 0
    for path, description in stored.files():
        if not holds(target, path, description, scratch):
            fetch_verified(source, path, description, scratch / "file")
            target.put(path, scratch / "file")
            copied += description.bytes
        advance(description.bytes)
    target.put(stored.path, stored.data)
    return copied


def is_whole(objects: ObjectStore, stored: StoredManifest, scratch: Path) -> bool:
    """Whether all that a manifest names is there as it was written. Reads all of it. Raises StoreUnavailable."""
    return all(holds(objects, path, description, scratch) for path, description in stored.files())


def holds(objects: ObjectStore, path: str, description: FileDescription, scratch: Path) -> bool:
    """Whether a file is there as it was written. Raises StoreUnavailable."""
    folder, _, name = path.rpartition("/")
    if objects.names(folder).get(name) != description.bytes:
        return False
    try:
        fetch_verified(objects, path, description, scratch / "file")
    except (CorruptSegment, FileNotFoundError):
        return False
    return True


def fetch_verified(objects: ObjectStore, path: str, description: FileDescription, to: Path) -> None:
    """Fetch a file, and see that it is what was written. Raises CorruptSegment, FileNotFoundError, StoreUnavailable."""
    objects.fetch(path, to)
    try:
        verify_file(to, description)
    except CorruptSegment as error:
        raise CorruptSegment(f"{path} is damaged: {error}") from error
