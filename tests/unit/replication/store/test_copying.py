"""Copying what was sealed from one store to another: all of it, verified, and the manifest last."""

from pathlib import Path

import pytest

from shared.index.sealed.description import CorruptSegment
from shared.index.shard import Shard
from shared.index.vectors import VectorFormat
from shared.replication.store.copying import StoredManifest, copy_manifest, is_whole, stored_manifests
from shared.replication.store.objects import FolderStore
from shared.replication.store.segment_store import SegmentStore
from tests.fakes.operations import INCARNATION, delete, upsert
from tests.fakes.replicated import NOW_MS, publish


class Stores:
    """A store with a shard that was published twice, and an empty one beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source, self.target = FolderStore(folder / "source"), FolderStore(folder / "target")
        self.scratch = folder / "scratch"
        self.advanced: list[int] = []
        for place in (self.scratch, folder / "writer"):
            place.mkdir()
        self.shard = Shard()
        writer = SegmentStore(self.source, folder / "writer", VectorFormat())
        self.shard.apply([upsert(0, "a"), upsert(1, "b"), delete(2, "gone")], position=2)
        publish(self.shard, writer)
        self.shard.apply([delete(3, "a"), upsert(4, "c")], position=4)
        publish(self.shard, writer)

    @property
    def newest(self) -> StoredManifest:
        return next(stored_manifests(self.source, 0, incarnation=INCARNATION))

    def copy(self) -> int:
        return copy_manifest(self.source, self.target, self.newest, self.scratch, self.advanced.append)

    def restored(self) -> Shard | None:
        """What a worker makes of the target."""
        folder = self.folder / "reader"
        folder.mkdir()
        return SegmentStore(self.target, folder, VectorFormat()).restore(
            0, incarnation=INCARNATION, beyond=-1, now_ms=NOW_MS
        )

    def files(self, store: str) -> list[Path]:
        return sorted((self.folder / store).glob("**/segments/*/*"))


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path)


def test_a_worker_restores_from_a_copy_what_it_would_have_restored_from_the_store(stores: Stores) -> None:
    assert stores.copy() == stores.newest.bytes == sum(path.stat().st_size for path in stores.files("target"))
    assert sum(stores.advanced) == stores.newest.bytes
    copy = stores.restored()
    assert copy is not None
    assert (copy.position, copy.checksum, len(copy)) == (4, stores.shard.checksum, 2)
    assert copy.knows("gone")


def test_what_is_there_already_is_not_copied_again(stores: Stores) -> None:
    stores.copy()
    written = [path.stat().st_mtime_ns for path in stores.files("target")]
    assert stores.copy() == 0
    assert [path.stat().st_mtime_ns for path in stores.files("target")] == written


def test_a_file_that_is_damaged_in_the_copy_is_copied_anew(stores: Stores) -> None:
    stores.copy()
    damaged = stores.files("target")[0]
    damaged.write_bytes(b"?" * damaged.stat().st_size)
    assert not is_whole(stores.target, stores.newest, stores.scratch)
    assert stores.copy() == damaged.stat().st_size
    assert is_whole(stores.target, stores.newest, stores.scratch)


def test_a_file_that_is_damaged_in_the_store_is_named_and_no_manifest_is_written(stores: Stores) -> None:
    damaged = stores.files("source")[-1]
    damaged.write_bytes(b"?" * damaged.stat().st_size)
    with pytest.raises(CorruptSegment, match=rf"{damaged.parent.name}/{damaged.name} is damaged: .*SHA-256"):
        stores.copy()
    assert stores.target.names(f"{INCARNATION}/0/manifests") == {}


def test_a_file_that_was_swept_away_leaves_the_copy_without_the_manifest(stores: Stores) -> None:
    stores.files("source")[-1].unlink()
    with pytest.raises(FileNotFoundError):
        stores.copy()
    assert stores.target.names(f"{INCARNATION}/0/manifests") == {}


def test_a_damaged_manifest_is_passed_over(stores: Stores) -> None:
    newest = max((stores.folder / "source").glob("**/manifests/*"))
    newest.write_bytes(b"{}")
    assert stores.newest.manifest.position == 2
