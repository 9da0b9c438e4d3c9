"""The whole way over HTTP: through the gateway, Kafka, the workers, and back."""

import asyncio
import base64
import io
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from PIL import Image

from tests.harness.service import PHOTOS, Service

PANDA = PHOTOS / "animal" / "panda.webp"
DAMS = [PHOTOS / "energy" / "dam2.webp", PHOTOS / "energy" / "dam3.webp"]


@pytest.fixture(scope="module")
def http(gateway_url: str) -> Iterator[httpx.Client]:
    """A client of the gateway, as a browser or curl would be."""
    with httpx.Client(base_url=gateway_url, timeout=60) as client:
        yield client


def test_an_image_is_found_first_by_itself_until_it_is_deleted(http: httpx.Client) -> None:
    for dam in DAMS:
        http.post("/images", json={"id": dam.name, "uri": dam.as_uri()}).raise_for_status()
    uploaded = http.post(
        "/images?wait=30",
        files={"image": PANDA.read_bytes()},
        data={"id": "animals/panda 1", "attributes": '{"kind": "animal", "legs": 4}'},
    )
    assert uploaded.status_code == 200, uploaded.text
    assert uploaded.json()["effect"] == "indexed"

    found = http.post(
        "/search", files={"image": PANDA.read_bytes()}, params={"top_k": 3, "min_position": seen(uploaded)}
    )
    assert found.status_code == 200, found.text
    best = found.json()["hits"][0]
    assert best["id"] == "animals/panda 1"
    assert best["score"] == pytest.approx(1.0, abs=0.01)
    assert best["attributes"] == {"kind": "animal", "legs": 4}
    assert found.json()["timings"]["total_ms"] > 0

    deleted = http.delete("/images/animals%2Fpanda%201?wait=30")
    assert deleted.json()["effect"] == "deleted"
    gone = http.get("/search", params={"id": "animals/panda 1", "min_position": seen(deleted)})
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown_id")
    left = http.post("/search", files={"image": PANDA.read_bytes()})
    assert "animals/panda 1" not in {hit["id"] for hit in left.json()["hits"]}


def test_what_became_of_an_upload_is_known_to_every_gateway(http: httpx.Client, service: Service) -> None:
    with service.worker("gateway", "beside") as beside:
        good = http.post("/images", files={"image": PANDA.read_bytes()}, data={"id": "of/all"})
        bad = http.post("/images", files={"image": b"no picture"}, data={"id": "bad"})
        assert (good.status_code, bad.status_code) == (202, 202)
        asked = [f"{beside.url}{sent.headers['location']}?wait=30" for sent in (good, bad)]
        indexed, rejected = [httpx.get(url, timeout=60).json() for url in asked]
    assert (indexed["id"], indexed["state"]) == ("of/all", "indexed")
    assert indexed["after_s"] > 0
    assert (rejected["id"], rejected["problem"]["code"]) == ("bad", "unsupported_format")
    gone = http.delete("/images/of%2Fall?wait=30").json()
    with service.worker("gateway", "late") as late:  # after all of it had happened
        told = [httpx.get(f"{late.url}{sent.headers['location']}", timeout=60).json() for sent in (good, bad)]
        assert [told[0], told[1]["problem"]] == [indexed | {"after_s": told[0]["after_s"]}, rejected["problem"]]
        place = "{partition}/{offset}".format(**gone["source"])
        assert httpx.get(f"{late.url}/uploads/{place}", timeout=60).json()["state"] == "deleted"
        assert httpx.get(f"{late.url}/uploads/0/999999", timeout=60).status_code == 404


def test_an_indexed_image_and_an_address_find_the_same(http: httpx.Client) -> None:
    receipts = [
        http.post("/images?wait=30", json={"id": dam.name, "uri": dam.as_uri(), "attributes": {"kind": "dam"}})
        for dam in DAMS
    ]
    positions = [seen(receipt) for receipt in receipts]
    by_id = http.get("/search", params={"id": DAMS[0].name, "min_position": positions}).json()
    by_uri = http.get("/search", params={"uri": DAMS[0].as_uri(), "min_position": positions}).json()
    assert [hit["id"] for hit in by_id["hits"]] == [DAMS[0].name, DAMS[1].name]
    assert [hit["id"] for hit in by_uri["hits"]] == [DAMS[0].name, DAMS[1].name]
    assert by_id["hits"][0]["uri"] == DAMS[0].as_uri()


def test_several_examples_find_what_looks_like_some_and_not_like_others(http: httpx.Client) -> None:
    photos = {path.name: path for path in (PANDA, *DAMS)}
    receipts = [http.post("/images?wait=30", json={"id": name, "uri": path.as_uri()}) for name, path in photos.items()]
    positions: dict[str, int] = {}
    for shard, position in (seen(receipt).split(":") for receipt in receipts):
        positions[shard] = max(int(position), positions.get(shard, 0))
    panda = base64.b64encode(PANDA.read_bytes()).decode()
    of = {"top_k": 3, "filter": {"@id": {"$in": [*photos]}}, "min_position": positions}
    toward = {**of, "examples": [{"image": panda}, {"id": DAMS[0].name, "weight": -1}]}
    away = {**of, "examples": [{"image": panda, "weight": -1}, {"id": DAMS[0].name}]}
    answer = http.post("/search", json={"batch": [toward, away, {"id": "nobody"}]})
    assert answer.status_code == 200, answer.text
    near, far, unknown = answer.json()["batch"]
    assert near["hits"][0]["id"] == PANDA.name
    assert [hit["id"] for hit in far["hits"]] == [DAMS[0].name, DAMS[1].name, PANDA.name]
    assert (unknown["status"], unknown["code"]) == (404, "unknown_id")


def test_a_hit_is_shown_small(http: httpx.Client) -> None:
    sent = http.post("/images?wait=30", json={"id": DAMS[0].name, "uri": DAMS[0].as_uri()})
    found = http.get("/search", params={"id": DAMS[0].name, "min_position": seen(sent)}).json()
    link = next(hit["thumbnail"] for hit in found["hits"] if hit["id"] == DAMS[0].name)
    shown = http.get(link)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(shown.content)) as picture:
        assert max(picture.size) <= 320


def test_more_than_a_record_holds_is_refused(http: httpx.Client) -> None:
    picture = base64.b64encode(bytes(250_000)).decode()
    answer = http.post("/search", json={"examples": [{"image": picture}] * 5})
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


def test_a_client_learns_what_it_may_ask(http: httpx.Client) -> None:
    known = http.get("/capabilities").json()["searching"]
    assert (known["text"], known["shards"]) == (False, [0, 1])
    answer = http.get("/search", params={"text": "a panda"})
    assert (answer.status_code, answer.json()["code"]) == (501, "unsupported")
    found = http.post("/search", files={"image": PANDA.read_bytes()}).json()
    assert found["scheme"] == known["scheme"]


def test_what_is_no_image_costs_itself_alone(http: httpx.Client) -> None:
    rejected = http.post("/images?wait=30", files={"image": b"no image at all"})
    assert (rejected.status_code, rejected.json()["code"]) == (422, "unsupported_format")
    query = http.post("/search", files={"image": b"no image at all"})
    assert (query.status_code, query.json()["code"]) == (422, "image_rejected")
    outside = http.post("/images?wait=30", json={"id": "secret", "uri": "file:///etc/passwd"})
    assert (outside.status_code, outside.json()["code"]) == (422, "uri_not_allowed")
    too_large = http.post("/images", files={"image": bytes(3_000_000)})
    assert (too_large.status_code, too_large.json()["code"]) == (413, "body_too_large")
    good = http.post("/images?wait=30", files={"image": PANDA.read_bytes()})
    assert good.status_code == 200, good.text


async def test_a_bulk_upload_is_told_of_while_it_is_still_sent(gateway_url: str) -> None:
    more = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield json.dumps({"id": "bulk panda", "uri": PANDA.as_uri()}).encode() + b"\n"
        await more.wait()
        for dam in DAMS:
            yield json.dumps({"id": f"bulk {dam.name}", "uri": dam.as_uri()}).encode() + b"\n"
        yield b'{"id": "bulk secret", "uri": "file:///etc/passwd"}\n'

    told: list[tuple[str, dict[str, Any]]] = []
    headers = {"content-type": "application/x-ndjson"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{gateway_url}/images/bulk", data=body(), headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
        async for line in answer.content:
            if line.startswith(b"event: "):
                kind = line.removeprefix(b"event: ").strip().decode()
                data = await answer.content.readline()
                told.append((kind, json.loads(data.removeprefix(b"data: "))))
            if any(kind == "outcome" for kind, _ in told):
                more.set()  # it was told of before the rest was sent
    outcomes = {event["id"]: event["state"] for kind, event in told if kind == "outcome"}
    assert outcomes == {
        "bulk panda": "indexed",
        **{f"bulk {dam.name}": "indexed" for dam in DAMS},
        "bulk secret": "rejected",
    }
    kind, end = told[-1]
    assert (kind, end["lines"], end["indexed"], end["rejected"]) == ("done", 4, 3, 1)


def test_curl_sends_a_large_bulk_upload_and_asks_first_whether_it_may(gateway_url: str, tmp_path: Path) -> None:
    """With `Expect: 100-continue`, as it does by itself for a large body."""
    picture = base64.b64encode(PANDA.read_bytes()).decode()
    lines = "".join(json.dumps({"id": f"curl {number}", "data": picture}) + "\n" for number in range(40))
    (tmp_path / "lines").write_text(lines)
    assert len(lines) > 1024 * 1024
    done = subprocess.run(
        [
            "curl",
            "-sS",
            "-N",
            "-H",
            "expect: 100-continue",
            "-H",
            "content-type: application/x-ndjson",
            "--data-binary",
            f"@{tmp_path / 'lines'}",
            f"{gateway_url}/images/bulk",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    end = json.loads(done.stdout.strip().rpartition("data: ")[2])
    assert (end["lines"], end["indexed"]) == (40, 40)


def test_an_upload_that_nobody_waited_for_is_asked_for_later(http: httpx.Client) -> None:
    sent = http.post("/images", files={"image": PANDA.read_bytes()}, data={"id": "later"})
    assert sent.status_code == 202
    found = http.get(sent.headers["location"], params={"wait": 30})
    assert (found.status_code, found.json()["state"], found.json()["id"]) == (200, "indexed", "later")


def seen(receipt: httpx.Response) -> str:
    """What makes a search see the event: its shard and position."""
    return f"{receipt.json()['shard']}:{receipt.json()['position']}"


def test_a_page_whose_name_was_made_to_mean_this_host_gets_nothing(http: httpx.Client) -> None:
    for path in ("/search?id=dam2.webp", "/live", "/"):
        assert http.get(path, headers={"host": "evil.example"}).status_code == 421
