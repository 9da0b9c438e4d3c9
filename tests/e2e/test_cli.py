"""The command line against the running service: what it prints, and the status that it ends with."""

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest

from services.cli.stack.ports import LOOPBACK, free_port
from shared.replication.connection import connect
from shared.replication.directory import ReplicaDirectory
from tests.harness.command_line import afterimage
from tests.harness.kafka import Broker
from tests.harness.redis import RedisServer
from tests.harness.service import PHOTOS, Service

PANDA = PHOTOS / "animal" / "panda.webp"


@dataclass(frozen=True)
class Shell:
    """Runs `afterimage` in the environment of one service."""

    environment: dict[str, str]

    def __call__(self, *arguments: str, status: int = 0, env: Mapping[str, str] | None = None) -> str:
        """The standard output of a command that ends with the status given; with the error output where it fails."""
        done = run(arguments, {**self.environment, **(env or {})})
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stdout + done.stderr


@pytest.fixture(scope="module")
def shell(kafka: Broker, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace="cli",
        folder=tmp_path_factory.mktemp("service"),
        env={"AFTERIMAGE_FETCH_PRIVATE": "true"},
    ) as service:
        yield Shell(service.environment)


def test_what_was_ingested_is_found_by_file_by_id_and_by_vector(shell: Shell) -> None:
    assert "3 indexed, 0 rejected" in shell("ingest", str(PHOTOS / "animal"))

    by_file = json.loads(shell("search", str(PANDA), "--json", "-k", "2"))
    assert by_file["hits"][0]["id"] == "panda.webp"
    assert by_file["hits"][0]["score"] == pytest.approx(1.0, abs=1e-5)
    assert by_file["hits"][0]["uri"] == PANDA.as_uri()
    assert len(by_file["hits"]) == 2
    assert by_file["timings"]["encode_ms"] > 0

    assert json.loads(shell("search", "--id", "moose.webp", "--json"))["hits"][0]["id"] == "moose.webp"
    assert len(json.loads(shell("search", "--vector", ",".join(["1"] * 1280), "--json"))["hits"]) == 3
    assert "panda.webp" in shell("search", PANDA.as_uri())


def test_whoever_asks_says_what_hits_should_look_like_and_what_of_them_is_wanted(shell: Shell, tmp_path: Path) -> None:
    animals = sorted(path.name for path in (PHOTOS / "animal").iterdir())
    assert "3 indexed, 0 rejected" in shell("ingest", str(PHOTOS / "animal"))

    def ids(*arguments: str) -> list[str]:
        return [hit["id"] for hit in json.loads(shell("search", "--json", *arguments))["hits"]]

    all_of_them = ("--filter", json.dumps({"@id": {"$in": animals}}))
    apart = ids("--like", "2*id:panda.webp", "--unlike", f"0.5*{PHOTOS / 'animal' / animals[0]}", *all_of_them)
    assert (apart[0], apart[-1]) == ("panda.webp", animals[0])
    both = ids(str(PANDA), "--like", f"id:{animals[0]}", *all_of_them)
    assert set(both[:2]) == {"panda.webp", animals[0]}
    assert ids(str(PANDA), "--offset", "1", *all_of_them) == ids(str(PANDA), *all_of_them)[1:]
    assert ids(str(PANDA), "--region", "0,0,1,1", *all_of_them)[0] == "panda.webp"
    assert " growing: scan, " in shell("search", str(PANDA), "--explain")

    requests = tmp_path / "requests.jsonl"
    requests.write_text('{"id": "panda.webp", "top_k": 1}\n{"id": "nobody"}\n')
    replies = shell("search", "--batch", str(requests), status=3)
    assert "panda.webp" in replies
    assert "unknown_id: no image 'nobody' is indexed" in replies

    sheet = tmp_path / "found.html"
    assert sheet.as_uri() in shell("search", str(PANDA), "--sheet", str(sheet))
    assert sheet.read_text().count("data:image/jpeg") >= 4  # the query and the animals
    sheet.unlink()
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
    browser.chmod(0o755)
    shell("search", str(PANDA), "--open", "--sheet", str(sheet), env={"BROWSER": str(browser)})
    assert opened.read_text() == sheet.as_uri()
    assert sheet.exists()


def test_a_deleted_image_is_not_found_any_more(shell: Shell) -> None:
    shell("ingest", "--inline", "--prefix", "gone/", str(PANDA))
    assert "gone/panda.webp: deleted" in shell("delete", "gone/panda.webp")
    assert "no image 'gone/panda.webp' is indexed" in shell("search", "--id", "gone/panda.webp", status=1)


def test_a_rejected_image_can_be_redriven_after_it_was_mended(shell: Shell, tmp_path: Path) -> None:
    """The event goes through again as it was; the file that it names is another by then."""
    place = PHOTOS / "not-there-yet.webp"
    refused = shell("ingest", place.as_uri(), status=3)
    assert "not_found: 1" in refused

    assert "1 rejects found, 1 can be sent again" in shell("redrive", "--reason", "not_found", "--dry-run")
    try:
        place.write_bytes(PANDA.read_bytes())
        assert "indexed: 1" in shell("redrive", "--reason", "not_found")
    finally:
        place.unlink(missing_ok=True)
    assert json.loads(shell("search", "--id", place.as_uri(), "--json"))["hits"]


def test_an_image_that_could_not_be_fetched_is_redriven_when_its_server_is_back(shell: Shell) -> None:
    port = free_port()
    uri = f"http://{LOOPBACK}:{port}/panda.webp"
    assert "fetch_failed: 1" in shell("ingest", uri, status=3)
    server = ThreadingHTTPServer((LOOPBACK, port), partial(SimpleHTTPRequestHandler, directory=PANDA.parent))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        assert "indexed: 1" in shell("redrive", "--reason", "fetch_failed")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert uri in {hit["uri"] for hit in json.loads(shell("search", "--id", uri, "--json"))["hits"]}


def test_status_shows_every_shard_with_its_replicas(shell: Shell) -> None:
    status = json.loads(shell("status", "--json"))
    assert {topic["topic"] for topic in status["topics"]} >= {"cli.images.uploaded", "cli.search.requests"}
    assert [shard["shard"] for shard in status["shards"]] == [0, 1]
    assert all(replica["state"] == "live" for shard in status["shards"] for replica in shard["replicas"])
    shown = shell("status")
    assert "log head" in shown
    assert "dead rows" in shown


def test_status_tells_how_large_every_copy_is(shell: Shell) -> None:
    shell("ingest", "--inline", "--prefix", "size/", str(PANDA))
    shell("delete", "size/panda.webp")
    time.sleep(1.5)  # all say anew how large they are once a second
    shards = json.loads(shell("status", "--json"))["shards"]
    for shard in shards:
        writer, [replica] = shard["writer"], shard["replicas"]
        assert writer["writer"] == "indexer"
        for size in ("rows", "dead_rows", "segments", "memory_bytes", "mapped_bytes"):
            assert writer[size] == replica[size]
        assert writer["stored"] is None
    assert sum(shard["writer"]["dead_rows"] for shard in shards) > 0
    assert sum(shard["writer"]["memory_bytes"] for shard in shards) > 0


def test_verify_holds_every_copy_against_kafka_and_names_the_one_that_differs(shell: Shell) -> None:
    verified = json.loads(shell("verify", "--json"))
    assert [(each["shard"], each["copy"]["replica"], each["verdict"]) for each in verified] == [
        (shard, "searcher-0", "same") for shard in (0, 1)
    ]
    assert sum(each["expected"]["rows"] for each in verified) > 0
    report_a_copy_that_is_wrong(shell.environment)
    said = shell("verify", status=3)
    assert "liar" in said
    assert "differs: " in said


def report_a_copy_that_is_wrong(environment: dict[str, str]) -> None:
    async def report() -> None:
        async with connect(environment["REDIS_URL"]) as redis:
            directory = ReplicaDirectory(redis, namespace=environment["AFTERIMAGE_NAMESPACE"])
            [honest] = await directory.reports(0)
            await directory.report(0, msgspec.structs.replace(honest, replica="liar", rows=honest.rows + 1))

    asyncio.run(report())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["search"], "give one of IMAGE, --id, --vector, --text and --batch"),
        (["search", "/nowhere.jpg"], "there is no file /nowhere.jpg"),
        (["search", "--vector", "one,two"], "the vector cannot be read"),
        (["search", "--id", "a", "--filter", "["], "the filter cannot be read as JSON"),
        (["search", "--id", "a", "--batch", "b"], "--batch goes alone"),
        (["search", "--text", "a", "--like", "b"], "--like and --unlike go with IMAGE or --id"),
        (["search", "--unlike", "id:b"], "give one of IMAGE"),
        (["search", "--id", "a", "--region", "0,0,1,1"], "--region is of IMAGE alone"),
        (["search", str(PANDA), "--region", "0,0,1"], "left,top,right,bottom"),
        (["search", "--batch", "/nowhere.json"], "the requests cannot be read"),
        (["ingest", "/nowhere"], "there is nothing at '/nowhere'"),
        (["topics", "--partitions", "many"], "Invalid value for '--partitions'"),
        (["up", "--retention", "month"], "--retention month: write a whole number and s, m, h, d or w, such as 30d"),
        (["snapshot", "/nowhere"], "AFTERIMAGE_SEGMENT_STORE is not set"),
        (["compact", "--shard", "9"], "there is no shard 9: they are 0 to 1"),
    ],
)
def test_a_misused_command_says_what_is_wrong_and_ends_with_two(
    shell: Shell, arguments: list[str], sentence: str
) -> None:
    assert sentence in shell(*arguments, status=2)


def test_shards_that_are_in_memory_alone_cannot_be_compacted(shell: Shell) -> None:
    assert "without AFTERIMAGE_SEGMENT_STORE there are no segments" in shell("compact", status=1)


def test_without_a_broker_a_command_says_so_and_ends_with_one() -> None:
    done = run(["search", "--id", "x"], {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    assert done.returncode == 1
    assert "no Kafka broker answers at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


def run(arguments: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return afterimage(arguments, environment)
