"""When a snapshot may take the place of what a store has lost, and what it does then."""

from pathlib import Path

import pytest

from shared.events.operations import Operation
from shared.events.topics import CLOCKS_DIFFER_MS, DELETES_TOLD_MS
from shared.index.shard import Shard
from shared.index.vectors import VectorFormat
from shared.replication.store.copying import StoredManifest, copy_manifest, stored_manifests
from shared.replication.store.objects import FolderStore
from shared.replication.store.restoring import (
    NotRestorable,
    check_history,
    check_manifest,
    check_target,
    newest_of,
    open_snapshot,
    put_in_place,
)
from shared.replication.store.segment_store import SegmentStore
from tests.fakes.operations import INCARNATION, SCHEME, delete, upsert
from tests.fakes.replicated import NOW_MS, publish

POSITION = 9


class Site:
    """A snapshot of a shard at offset 9, and the store of its workers, which is empty."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.snapshot, self.store = FolderStore(folder / "snapshot"), FolderStore(folder / "store")
        self.shard = Shard()
        self.shard.apply([*(upsert(n, str(n)) for n in range(9)), delete(9, "0")], position=POSITION)
        publish(self.shard, self.segments(self.snapshot, "writer"))

    def segments(self, objects: FolderStore, process: str) -> SegmentStore:
        folder = self.folder / process
        folder.mkdir(exist_ok=True)
        return SegmentStore(objects, folder, VectorFormat())

    def scratch(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    @property
    def stored(self) -> StoredManifest:
        return newest_of(self.snapshot, 0, incarnation=INCARNATION)

    def go_on(self) -> None:
        """The store gets what was in the snapshot, and a later manifest."""
        copy_manifest(self.snapshot, self.store, self.stored, self.scratch("copy"), lambda _: None)
        self.shard.apply([upsert(10, "later")], position=10)
        publish(self.shard, self.segments(self.store, "writer"))

    def damage(self, pattern: str) -> None:
        for path in self.folder.glob(pattern):
            path.write_bytes(b"?" * path.stat().st_size)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_snapshot_that_kafka_reaches_back_to_is_fit(site: Site) -> None:
    check_manifest(site.stored.manifest, first=POSITION + 1, end=POSITION + 1, now_ms=NOW_MS + DELETES_TOLD_MS - 1)


@pytest.mark.parametrize(
    ("first", "end", "later_ms", "why"),
    [
        (0, POSITION, 0, "reaches offset 9, and the topic ends before 9"),
        (POSITION + 2, 100, 0, "oldest record that Kafka keeps is 11: what is between cannot be read again"),
        (0, 100, DELETES_TOLD_MS, "written 6 days ago, and is good for 6"),
        (0, 100, -3 * CLOCKS_DIFFER_MS, "written 3 days from now: a clock is wrong"),
    ],
)
def test_a_snapshot_that_the_workers_cannot_go_on_from_is_refused(
    site: Site, first: int, end: int, later_ms: int, why: str
) -> None:
    with pytest.raises(NotRestorable, match=why):
        check_manifest(site.stored.manifest, first=first, end=end, now_ms=NOW_MS + later_ms)


def test_a_snapshot_of_another_cluster_or_topic_is_refused_by_its_name(site: Site) -> None:
    with pytest.raises(NotRestorable, match="it is of cluster/features, and this is other/features"):
        newest_of(site.snapshot, 0, incarnation="other/features")


def test_a_snapshot_without_the_shard_is_refused(site: Site) -> None:
    with pytest.raises(NotRestorable, match="no whole manifest"):
        newest_of(site.snapshot, 1, incarnation=INCARNATION)


def test_a_store_that_has_something_as_new_and_whole_needs_no_snapshot(site: Site) -> None:
    site.go_on()
    with pytest.raises(NotRestorable, match="a whole manifest of offset 10: there is nothing to restore"):
        check_target(site.store, site.stored.manifest, site.scratch("check"))


@pytest.mark.parametrize("damaged", ["store/**/links.npy", "store/**/manifests/*"])
def test_a_store_in_which_everything_as_new_is_damaged_needs_it(site: Site, damaged: str) -> None:
    site.go_on()
    site.damage(damaged)
    check_target(site.store, site.stored.manifest, site.scratch("check"))


def test_a_store_that_has_only_something_older_needs_it(site: Site) -> None:
    older = Shard()
    older.apply([upsert(0, "0")], position=0)
    publish(older, site.segments(site.store, "older"))
    check_target(site.store, site.stored.manifest, site.scratch("check"))


def test_what_is_damaged_in_the_store_is_mended_and_what_was_later_is_gone(site: Site) -> None:
    before = (POSITION, site.shard.checksum)
    site.go_on()
    site.damage("store/**/segments/*/*")
    put_in_place(site.snapshot, site.store, site.stored, site.scratch("restore"), lambda _: None)
    restored = site.segments(site.store, "reader").restore(0, incarnation=INCARNATION, beyond=-1, now_ms=NOW_MS)
    assert restored is not None
    assert (restored.position, restored.checksum) == before
    left = [each.manifest.position for each in stored_manifests(site.store, 0, incarnation=INCARNATION)]
    assert left == [POSITION]


@pytest.mark.parametrize(
    ("damage", "why"), [(True, "rows.arrow is damaged"), (False, "it lacks rows.arrow of the segment")]
)
def test_a_snapshot_that_is_damaged_is_refused_with_the_name_of_the_file(site: Site, damage: bool, why: str) -> None:
    if damage:
        site.damage("snapshot/**/rows.arrow")
    else:
        next(site.folder.glob("snapshot/**/rows.arrow")).unlink()
    with pytest.raises(NotRestorable, match=why):
        open_snapshot(site.snapshot, site.stored, site.scratch("open"), lambda _: None)


@pytest.mark.parametrize(
    "operations",
    [
        [],
        [upsert(8, "8")],
        [upsert(0, "0")],
        [upsert(1, "who was deleted so long ago that nobody remembers"), upsert(8, "8")],
        [upsert(7, "foreign", scheme="another")],
    ],
    ids=["nothing is left", "the same", "deleted since", "forgotten", "foreign"],
)
def test_a_snapshot_is_of_this_topic_where_it_knows_what_kafka_has(site: Site, operations: list[Operation]) -> None:
    opened = open_snapshot(site.snapshot, site.stored, site.scratch("open"), lambda _: None)
    check_history(opened, operations, scheme=SCHEME)


@pytest.mark.parametrize(
    ("operations", "scheme", "why"),
    [
        ([upsert(8, "other"), upsert(9, "images")], SCHEME, "none of the 2 images .* another topic of the same name"),
        ([upsert(8, "8", source=50)], SCHEME, "none of the 1 images"),
        ([], "another", f"codes are of scheme {SCHEME}, and those in Kafka of another"),
    ],
)
def test_a_snapshot_of_another_topic_of_the_same_name_is_refused(
    site: Site, operations: list[Operation], scheme: str, why: str
) -> None:
    opened = open_snapshot(site.snapshot, site.stored, site.scratch("open"), lambda _: None)
    with pytest.raises(NotRestorable, match=why):
        check_history(opened, operations, scheme=scheme)
