"""What somebody who starts now would find in the segment store."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.index.vectors import VectorFormat
from shared.replication.store.manifest import Manifest
from shared.replication.store.objects import FolderStore
from shared.replication.store.segment_store import SegmentStore


@dataclass(frozen=True, slots=True)
class StoredShard:
    """store: the folder of all shards."""

    store: Path
    incarnation: str
    shard: int

    @property
    def folder(self) -> Path:
        return self.store / self.incarnation / str(self.shard)

    def manifests(self) -> list[Manifest]:
        """Newest first."""
        return list(
            self._store(Path()).manifests(self.shard, incarnation=self.incarnation, beyond=-1, now_ms=_now_ms())
        )

    def files(self, manifest: Manifest) -> list[Path]:
        """All that it consists of: its own, and those of its segments."""
        own = self.folder / "manifests" / f"{manifest.position:020d}-{manifest.written_at:015d}.json"
        segments = [segment.description for segment in manifest.segments]
        return [own, *(self.folder / "segments" / each.name / file for each in segments for file in each.files)]

    def position(self) -> int:
        """That of the newest manifest whose files are all read and found whole; -1 where there is none."""
        with TemporaryDirectory() as folder:
            restored = self._store(Path(folder)).restore(
                self.shard, incarnation=self.incarnation, beyond=-1, now_ms=_now_ms()
            )
            return -1 if restored is None else restored.position

    def _store(self, folder: Path) -> SegmentStore:
        return SegmentStore(FolderStore(self.store), folder, VectorFormat())


def stored_shards(store: Path) -> Iterator[StoredShard]:
    for manifests in sorted(store.glob("*/*/*/manifests")):
        shard = manifests.parent
        yield StoredShard(store, str(shard.parent.relative_to(store)), int(shard.name))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
