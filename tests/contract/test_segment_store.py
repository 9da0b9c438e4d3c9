"""The segment store on a folder and on S3: what was published is found again, and what is damaged is never served."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import boto3
import msgspec
import pytest
from moto.server import ThreadedMotoServer

from shared.events.topics import CLOCKS_DIFFER_MS, DELETE_RETENTION_MS
from shared.index.sealed.description import CorruptSegment
from shared.index.shard import Outcome, Shard
from shared.index.vectors import VectorFormat
from shared.replication.store.copying import copy_manifest, stored_manifests
from shared.replication.store.manifest import CorruptManifest, decode_manifest, encode_manifest
from shared.replication.store.objects import ObjectStore, StoreUnavailable, open_store
from shared.replication.store.restoring import NotRestorable, newest_of, put_in_place
from shared.replication.store.segment_store import KEPT_MANIFESTS, READ_BACK_EVERY_MS, SegmentStore, Swept
from tests.fakes.operations import INCARNATION, code, delete, upsert
from tests.fakes.replicated import NOW_MS, publish

FILES = ["codes.npy", "norms.npy", "links.npy", "upper.npy", "rows.arrow", "ids.arrow", "fields.arrow"]


Said: TypeAlias = tuple[int, str, int, list[str]]
"""What a shard says of itself."""


class Place(NamedTuple):
    """Where a store's objects are, and a folder for each process that uses them."""

    url: str
    folder: Path

    @property
    def objects(self) -> ObjectStore:
        return open_store(self.url)

    def store(self, process: str) -> SegmentStore:
        folder = self.folder / process
        folder.mkdir(exist_ok=True)
        return SegmentStore(self.objects, folder, VectorFormat())

    def flip(self, path: str, rng: random.Random) -> None:
        data = bytearray(self.objects.read(path))
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        self.objects.put(path, bytes(data))


class S3(NamedTuple):
    """A server, and a client of it, which takes a second to make."""

    endpoint: str
    client: Any


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    keys = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "test")
    session = boto3.Session(**keys, region_name="us-east-1")
    client = session.client("s3", endpoint_url=endpoint)
    yield S3(endpoint, client)
    client.close()
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unique_namespace: str
) -> Place:
    if request.param == "folder":
        return Place(str(tmp_path / "store"), tmp_path)
    s3: S3 = request.getfixturevalue("s3")
    for name, value in {
        "AWS_ENDPOINT_URL": s3.endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    s3.client.create_bucket(Bucket=unique_namespace)
    return Place(f"s3://{unique_namespace}/segments", tmp_path)


def restored(place: Place, process: str = "reader", *, beyond: int = -1, now_ms: int = NOW_MS) -> Shard | None:
    return place.store(process).restore(0, incarnation=INCARNATION, beyond=beyond, now_ms=now_ms)


def says(shard: Shard | None) -> Said:
    assert shard is not None
    return (
        shard.position,
        shard.checksum,
        len(shard),
        [match.row.id for match in shard.search(code(10, 0, 0, 0), 10)],
    )


def two_generations(place: Place) -> tuple[Shard, list[Said]]:
    """A shard that was published twice, and what it said then."""
    shard, store = Shard(), place.store("writer")
    shard.apply([upsert(0, "a"), upsert(1, "b", of=code(10, 1, 0, 0)), delete(2, "gone")], position=2)
    publish(shard, store)
    first = says(shard)
    shard.apply([delete(3, "a"), upsert(4, "c"), upsert(5, "b", of=code(9, 0, 0, 0))], position=7)
    publish(shard, store)
    return shard, [first, says(shard)]


def test_what_was_published_is_restored(place: Place) -> None:
    shard, said = two_generations(place)
    copy = restored(place)
    assert says(copy) == said[1]
    assert copy is not None
    for image_id in ("a", "b", "c", "gone"):
        assert copy.winner(image_id, offset=9) == shard.winner(image_id, offset=9)
    assert restored(place, beyond=7) is None
    assert says(restored(place, beyond=6)) == said[1]


def test_an_emptied_shard_takes_codes_of_another_length_whether_it_was_restored_or_not(place: Place) -> None:
    """Else one took what the others call foreign."""
    shard = Shard()
    shard.apply([upsert(0, "cat"), delete(1, "cat")], position=1)
    publish(shard, place.store("writer"))
    copy = restored(place)
    assert copy is not None
    longer = upsert(2, "dog", of=code(1, 2, 3, 4, 5))
    assert (shard.judge(longer), copy.judge(longer)) == (Outcome.APPLIED, Outcome.APPLIED)


def test_nothing_is_restored_of_another_shard_incarnation_or_format(place: Place) -> None:
    two_generations(place)
    store = place.store("reader")
    assert store.restore(1, incarnation=INCARNATION, beyond=-1, now_ms=NOW_MS) is None
    assert store.restore(0, incarnation="other/features", beyond=-1, now_ms=NOW_MS) is None
    floats = SegmentStore(place.objects, place.folder, VectorFormat("f32"))
    assert floats.restore(0, incarnation=INCARNATION, beyond=-1, now_ms=NOW_MS) is None


def test_a_manifest_is_used_while_kafka_surely_remembers_all_deletes_since(place: Place) -> None:
    """Also where the clocks of its writer and its reader are a day apart."""
    _, said = two_generations(place)
    assert says(restored(place, now_ms=NOW_MS + DELETE_RETENTION_MS - CLOCKS_DIFFER_MS - 1)) == said[1]
    assert restored(place, now_ms=NOW_MS + DELETE_RETENTION_MS - CLOCKS_DIFFER_MS) is None


def test_where_the_newest_manifest_is_from_the_future_none_is_used(place: Place) -> None:
    """The clock here is wrong, or its writer's was: those before it may be older than they seem."""
    _, said = two_generations(place)
    assert says(restored(place, now_ms=NOW_MS - CLOCKS_DIFFER_MS)) == said[1]
    assert restored(place, now_ms=NOW_MS - CLOCKS_DIFFER_MS - 1) is None


def test_a_bit_flipped_in_a_segment_has_the_manifest_before_it_served(place: Place) -> None:
    _, said = two_generations(place)
    newest = next(place.store("x").manifests(0, incarnation=INCARNATION, beyond=-1, now_ms=NOW_MS))
    segment = newest.segments[-1].description.name
    for name in FILES:
        assert_flips_are_seen(place, f"{INCARNATION}/0/segments/{segment}/{name}", 3, said)


def test_a_bit_flipped_in_a_manifest_has_the_one_before_it_served(place: Place) -> None:
    _, said = two_generations(place)
    name = max(place.objects.names(f"{INCARNATION}/0/manifests"))
    assert_flips_are_seen(place, f"{INCARNATION}/0/manifests/{name}", 12, said)


def assert_flips_are_seen(place: Place, path: str, flips: int, said: Sequence[Said]) -> None:
    """One bit at a time, each by a process that has nothing yet."""
    whole = place.objects.read(path)
    name = path.rpartition("/")[2]
    for flip in range(flips):
        place.flip(path, random.Random(f"{name} {flip}"))  # noqa: S311 - no secret
        assert says(restored(place, f"{name}-{flip}")) == said[0], (name, flip)
        place.objects.put(path, whole)
    assert says(restored(place)) == said[1]


def test_where_both_are_damaged_nothing_is_served(place: Place) -> None:
    two_generations(place)
    for name in place.objects.names(f"{INCARNATION}/0/manifests"):
        place.objects.put(f"{INCARNATION}/0/manifests/{name}", b"{}")
    assert restored(place) is None


def test_a_segment_that_is_damaged_in_this_process_own_folder_is_fetched_again(place: Place) -> None:
    _, said = two_generations(place)
    restored(place)
    for path in (place.folder / "reader").glob("*/rows.arrow"):
        path.write_bytes(b"noise")
    assert says(restored(place)) == said[1]


def test_stored_files_that_were_damaged_are_put_again_with_the_next_manifest(place: Place) -> None:
    """Whoever published it has it whole. So does a process that was started again, with the folder that it had."""
    shard, said = two_generations(place)
    newest = next(place.store("x").manifests(0, incarnation=INCARNATION, beyond=-1, now_ms=NOW_MS))
    segment = newest.segments[-1].description.name
    for name in FILES:
        place.flip(f"{INCARNATION}/0/segments/{segment}/{name}", random.Random(name))  # noqa: S311 - no secret
    publish(shard, place.store("writer"))
    assert says(restored(place)) == said[1]


def test_what_was_read_back_is_believed_for_a_day(place: Place) -> None:
    shard, said = two_generations(place)
    newest = next(place.store("x").manifests(0, incarnation=INCARNATION, beyond=-1, now_ms=NOW_MS))
    store = place.store("writer")
    store.publish(newest)
    path = f"{INCARNATION}/0/segments/{newest.segments[-1].description.name}/{FILES[0]}"
    place.flip(path, random.Random(0))  # noqa: S311 - no secret
    damaged = place.objects.read(path)
    store.publish(newest)
    assert place.objects.read(path) == damaged
    store.publish(msgspec.structs.replace(newest, written_at=NOW_MS + READ_BACK_EVERY_MS))
    assert place.objects.read(path) != damaged
    assert says(restored(place)) == said[1] == says(shard)


def test_a_damaged_file_does_not_take_the_place_of_another(place: Place) -> None:
    two_generations(place)
    newest = next(place.store("x").manifests(0, incarnation=INCARNATION, beyond=-1, now_ms=NOW_MS))
    segment = newest.segments[-1].description.name
    place.flip(f"{INCARNATION}/0/segments/{segment}/{FILES[0]}", random.Random(1))  # noqa: S311 - no secret
    here = place.folder / "writer" / segment / FILES[0]
    here.write_bytes(here.read_bytes()[::-1])
    with pytest.raises(CorruptSegment, match=FILES[0]):
        place.store("writer").publish(newest)


def test_a_missing_segment_has_the_manifest_before_it_served(place: Place) -> None:
    _, said = two_generations(place)
    newest = next(place.store("x").manifests(0, incarnation=INCARNATION, beyond=-1, now_ms=NOW_MS))
    segment = newest.segments[-1].description.name
    place.objects.delete(f"{INCARNATION}/0/segments/{segment}/{name}" for name in FILES)
    assert says(restored(place)) == said[0]


def test_sweeping_keeps_what_the_newest_manifests_name(place: Place) -> None:
    shard, store = Shard(), place.store("writer")
    for number in range(KEPT_MANIFESTS + 2):
        shard.apply([upsert(number, "cat", of=code(10, number, 0, 0))], position=number)
        dropped = list(shard.sealed)
        shard.exchange([], dropped=dropped)  # the one row there was has been replaced
        publish(shard, store)
        swept = store.sweep(0, incarnation=INCARNATION, condemned=place.objects.names(f"{INCARNATION}/0/segments"))
    assert swept == Swept([4, 3, 2], frozenset())
    assert len(place.objects.names(f"{INCARNATION}/0/manifests")) == KEPT_MANIFESTS
    assert len(place.objects.names(f"{INCARNATION}/0/segments")) == KEPT_MANIFESTS
    assert says(restored(place)) == says(shard)


def test_sweeping_leaves_alone_what_another_writer_may_be_about_to_name(place: Place) -> None:
    """It puts its files before its manifest; a writer that lost the shard and does not know it sweeps in between."""
    shard, store = Shard(), place.store("zombie")
    shard.apply([upsert(0, "cat")], position=0)
    publish(shard, store)
    files = [f"{INCARNATION}/0/segments/{'e' * 32}/{name}" for name in FILES]
    for path in files:
        place.objects.put(path, b"put, and not named yet")
    swept = store.sweep(0, incarnation=INCARNATION, condemned=[])
    assert swept.unnamed == {"e" * 32}
    assert [place.objects.read(path) for path in files] == [b"put, and not named yet"] * len(FILES)


def test_a_snapshot_is_copied_out_and_back_again(place: Place, tmp_path: Path) -> None:
    _, said = two_generations(place)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    elsewhere = open_store(str(tmp_path / "snapshot"))
    [newest, *_] = stored_manifests(place.objects, 0, incarnation=INCARNATION)
    assert copy_manifest(place.objects, elsewhere, newest, scratch, lambda _: None) == newest.bytes
    for path in ("manifests", *(f"segments/{name}" for name in place.objects.names(f"{INCARNATION}/0/segments"))):
        folder = f"{INCARNATION}/0/{path}"
        place.objects.delete(f"{folder}/{name}" for name in place.objects.names(folder))
    assert restored(place) is None
    assert newest_of(elsewhere, 0, incarnation=INCARNATION).data == newest.data
    put_in_place(elsewhere, place.objects, newest, scratch, lambda _: None)
    assert says(restored(place)) == said[1]
    with pytest.raises(NotRestorable, match="this is another/topic"):
        newest_of(place.objects, 0, incarnation="another/topic")


def test_the_size_of_a_shard_is_that_of_all_its_objects(place: Place) -> None:
    two_generations(place)
    store, written = place.store("writer"), list(place.folder.glob("writer/*/*"))
    manifests = place.objects.names(f"{INCARNATION}/0/manifests").values()
    assert store.size(0, incarnation=INCARNATION) == sum(manifests) + sum(path.stat().st_size for path in written)
    assert store.size(1, incarnation=INCARNATION) == 0


def test_a_store_that_cannot_be_reached_says_so(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("no folder")
    with pytest.raises(StoreUnavailable, match="writing"):
        open_store(str(tmp_path / "store")).put("a/b", b"")


def test_a_file_that_vanishes_while_a_folder_is_listed_is_not_there(tmp_path: Path) -> None:
    """Another process put it in its place, or swept it away; a link to nowhere looks the same."""
    store = open_store(str(tmp_path))
    store.put("folder/stays", b"12")
    (tmp_path / "folder" / "vanished").symlink_to("nowhere")
    assert store.names("folder") == {"stays": 2}


def test_no_flipped_bit_in_a_manifest_is_overlooked(tmp_path: Path) -> None:
    shard = Shard()
    shard.apply([upsert(0, "a"), delete(1, "b")], position=1)
    data = bytearray(encode_manifest(publish(shard, Place(str(tmp_path / "store"), tmp_path).store("writer"))))
    for bit in range(8 * len(data)):
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CorruptManifest):
            decode_manifest(bytes(data))
        data[bit // 8] ^= 1 << bit % 8
