"""The segments and manifests of all shards in a store, and the copies of them that a process has opened."""

import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from shared.events.topics import CLOCKS_DIFFER_MS, DELETES_TOLD_MS
from shared.index.sealed.description import CorruptSegment, SegmentDescription, verify_file
from shared.index.sealed.segment import SealedSegment
from shared.index.sealed.writing import UNFINISHED, put_in_place
from shared.index.shard import Shard
from shared.index.vectors import VectorFormat
from shared.replication.store.copying import folder_of, holds
from shared.replication.store.manifest import CorruptManifest, Manifest, decode_manifest, encode_manifest
from shared.replication.store.objects import ObjectStore, StoreUnavailable
from shared.runtime.logging import get_logger

log = get_logger(__name__)

KEPT_MANIFESTS = 3
"""The newest, the one before it that is served when it is damaged, and one that somebody may be reading."""
READ_BACK_EVERY_MS = 24 * 60 * 60 * 1000
"""How long what was put or read back in full is taken to be what it was: disks and people change files in silence."""


@dataclass(frozen=True, slots=True)
class Swept:
    """positions: of the manifests that are kept, newest first. unnamed: segments that none of them names."""

    positions: list[int]
    unnamed: frozenset[str]


class SegmentStore:
    """Everything here blocks; different shards may be dealt with in different threads.

    folder: of this process alone; segments are built, fetched and mapped there. vector_format: that of the codes that
    this process understands.

    In the store: {incarnation}/{shard}/segments/{name}/{file}, {incarnation}/{shard}/manifests/{position}-{number}.json
    """

    def __init__(self, objects: ObjectStore, folder: Path, vector_format: VectorFormat) -> None:
        self.folder = folder
        self.vector_format = vector_format
        self._objects = objects
        self._whole_at: dict[str, int] = {}
        """Segment → when it was last known here that the store has it as it was written, in Unix milliseconds."""

    def restore(self, shard: int, *, incarnation: str, beyond: int, now_ms: int) -> Shard | None:
        """The shard as the newest manifest that is whole describes it; None where there is none beyond a position.

        What is damaged is passed over, and the manifest before it served. Raises StoreUnavailable.
        """
        for manifest in self.manifests(shard, incarnation=incarnation, beyond=beyond, now_ms=now_ms):
            try:
                segments = [self.open(manifest, segment.description) for segment in manifest.segments]
            except (CorruptSegment, FileNotFoundError) as error:
                log.warning("manifest_unusable", shard=shard, position=manifest.position, error=str(error))
                continue
            return Shard.restored(manifest.contents(), segments, self.vector_format)
        return None

    def manifests(self, shard: int, *, incarnation: str, beyond: int, now_ms: int) -> Iterator[Manifest]:
        """The manifests at positions beyond one, newest first, without those that are damaged, foreign or too old.

        Kafka forgets deletes after a time: an older manifest would bring back what was deleted since. One from the
        future says that its writer's clock is wrong, or the one here: no age is known then, and there are none.
        """
        prefix = f"{incarnation}/{shard}/manifests"
        for name in sorted(self._objects.names(prefix), reverse=True):
            if name.startswith(UNFINISHED) or position_of(name) <= beyond:
                continue
            try:
                manifest = self._read(f"{prefix}/{name}")
            except (CorruptManifest, FileNotFoundError) as error:
                log.warning("manifest_unusable", shard=shard, manifest=name, error=str(error))
                continue
            age_ms = now_ms - manifest.written_at
            if age_ms < -CLOCKS_DIFFER_MS:
                log.warning("manifest_from_the_future", shard=shard, manifest=name, ahead_s=-age_ms // 1000)
                return
            if (
                (manifest.incarnation, manifest.shard) == (incarnation, shard)
                and age_ms < DELETES_TOLD_MS
                and all(each.description.vector_format == self.vector_format for each in manifest.segments)
            ):
                yield manifest

    def open(self, manifest: Manifest, description: SegmentDescription) -> SealedSegment:
        """A segment of a manifest, fetched where it is not in the folder yet, and verified.

        Raises CorruptSegment, FileNotFoundError, StoreUnavailable.
        """
        place = self.folder / description.name
        if place.exists():
            try:
                return SealedSegment.open(place, description)
            except CorruptSegment as error:
                log.warning("cached_segment_corrupt", error=str(error))
                self.forget([description.name])
        self._fetch(f"{manifest.incarnation}/{manifest.shard}/segments/{description.name}", description, place)
        try:
            return SealedSegment.open(place, description)
        except CorruptSegment:
            self.forget([description.name])
            raise

    def publish(self, manifest: Manifest) -> None:
        """Put what the store lacks of the manifest's segments there, and the manifest last.

        What is there already is read back once a day, and put again where it is damaged. Raises StoreUnavailable, and
        CorruptSegment where the file in the folder is damaged as well.
        """
        root = f"{manifest.incarnation}/{manifest.shard}"
        for segment in manifest.segments:
            self._put(folder_of(manifest, segment.description), segment.description, now_ms=manifest.written_at)
        written = f"{manifest.position:020d}-{manifest.written_at:015d}.json"
        self._objects.put(f"{root}/manifests/{written}", encode_manifest(manifest))

    def sweep(self, shard: int, *, incarnation: str, condemned: Collection[str]) -> Swept:
        """Remove old manifests, and those of the condemned segments that no manifest names. Raises StoreUnavailable.

        condemned: what the sweep before found unnamed, if the shard was surely ours after it. Files that another
        writer is putting there now, to name them last, cannot be among them.
        """
        root = f"{incarnation}/{shard}"
        names = sorted(self._objects.names(f"{root}/manifests"), reverse=True)
        kept, old = names[:KEPT_MANIFESTS], names[KEPT_MANIFESTS:]
        positions = [position_of(name) for name in kept]
        try:
            manifests = [self._read(f"{root}/manifests/{name}") for name in kept]
        except (CorruptManifest, FileNotFoundError):
            return Swept(positions, frozenset())  # what a damaged one names is not known: remove nothing
        self._objects.delete(f"{root}/manifests/{name}" for name in old)
        named = {segment.description.name for manifest in manifests for segment in manifest.segments}
        unnamed = self._objects.names(f"{root}/segments").keys() - named
        for segment in sorted(unnamed.intersection(condemned)):
            files = self._objects.names(f"{root}/segments/{segment}")
            self._objects.delete(f"{root}/segments/{segment}/{file}" for file in files)
        return Swept(positions, frozenset(unnamed.difference(condemned)))

    def size(self, shard: int, *, incarnation: str) -> int:
        """Bytes of all that the store holds for a shard. Raises StoreUnavailable."""
        root = f"{incarnation}/{shard}"
        segments = [f"{root}/segments/{name}" for name in self._objects.names(f"{root}/segments")]
        return sum(sum(self._objects.names(folder).values()) for folder in [f"{root}/manifests", *segments])

    def forget(self, names: Iterable[str]) -> None:
        """Remove segments from the folder. Whoever has one open goes on with it."""
        for name in names:
            self._whole_at.pop(name, None)
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _put(self, path: str, description: SegmentDescription, *, now_ms: int) -> None:
        """Have the store hold a segment as it was written."""
        there = self._objects.names(path)
        believed = 0 <= now_ms - self._whole_at.get(description.name, -READ_BACK_EVERY_MS) < READ_BACK_EVERY_MS
        with TemporaryDirectory(prefix=UNFINISHED, dir=self.folder) as scratch:
            for name, file in description.files.items():
                if there.get(name) == file.bytes:
                    if believed or holds(self._objects, f"{path}/{name}", file, Path(scratch)):
                        continue
                    log.warning("stored_file_damaged", path=f"{path}/{name}", then="put again")
                    verify_file(self.folder / description.name / name, file)
                self._objects.put(f"{path}/{name}", self.folder / description.name / name)
        self._whole_at[description.name] = now_ms

    def _fetch(self, path: str, description: SegmentDescription, place: Path) -> None:
        beside = Path(mkdtemp(prefix=UNFINISHED, dir=self.folder))
        try:
            for file in description.files:
                self._objects.fetch(f"{path}/{file}", beside / file)
            put_in_place(beside, place)
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise StoreUnavailable(f"fetching the segment {description.name}: {error}") from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _read(self, path: str) -> Manifest:
        return decode_manifest(self._objects.read(path))


def position_of(name: str) -> int:
    """The position that a manifest's name begins with; -1 where it is no such name."""
    digits = name.partition("-")[0]
    return int(digits) if digits.isdecimal() else -1
