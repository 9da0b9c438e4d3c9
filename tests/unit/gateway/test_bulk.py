"""Many images in one request: each costs itself alone, and what became of each is told."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.gateway.access.admission import Visit
from services.gateway.access.caller import Caller
from services.gateway.access.rate import RateLimit
from services.gateway.api.bodies import MAX_BODY_BYTES
from services.gateway.api.bulk import lines as bulk_lines
from services.gateway.api.bulk.upload import UNDER_WAY, BulkUpload, Event
from shared.events.faults import RejectReason
from shared.events.images import SourcePosition
from shared.events.rejects import Reject
from tests.unit.gateway.fakes import FakeIndex, gateway, until

HEADERS = {"content-type": "application/x-ndjson"}


def line(image_id: str, **fields: Any) -> bytes:
    return json.dumps({"id": image_id, "uri": "https://example.org/a.jpg", **fields}).encode() + b"\n"


def told(answer: httpx.Response) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The outcomes by line, and what the end says."""
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [dict(part.split(": ", 1) for part in text.split("\n")) for text in answer.text.strip().split("\n\n")]
    assert events[-1]["event"] == "done"
    outcomes = [json.loads(event["data"]) for event in events if event["event"] == "outcome"]
    return sorted(outcomes, key=lambda outcome: outcome["line"]), json.loads(events[-1]["data"])


async def test_every_line_is_uploaded_and_told_of(http: httpx.AsyncClient, index: FakeIndex) -> None:
    picture = base64.b64encode(b"x").decode()
    body = line("a", attributes={"kind": "cat"}) + b"\n" + json.dumps({"id": "b", "data": picture}).encode()
    outcomes, end = told(await http.post("/images/bulk", content=body, headers=HEADERS))
    assert outcomes[0] == {"line": 1, "id": "a", "state": "indexed", "shard": 1, "position": 40, "after_s": 0.25}
    assert [outcome["id"] for outcome in outcomes] == ["a", "b"]
    assert (end["lines"], end["indexed"], "problem" in end) == (2, 2, False)
    assert index.images["a"].attributes == {"kind": "cat"}
    assert index.images["b"].data == b"x"


async def test_without_waiting_the_lines_are_accepted(http: httpx.AsyncClient) -> None:
    outcomes, end = told(await http.post("/images/bulk?wait=0", content=line("a"), headers=HEADERS))
    assert (outcomes, end["accepted"]) == ([{"line": 1, "id": "a", "state": "accepted"}], 1)


async def test_a_bad_line_costs_itself_alone(http: httpx.AsyncClient, index: FakeIndex) -> None:
    body = line("a") + b"{\n" + line("") + line("b", data="") + line("c")
    outcomes, end = told(await http.post("/images/bulk", content=body, headers=HEADERS))
    assert [outcome["state"] for outcome in outcomes] == ["indexed", "refused", "refused", "refused", "indexed"]
    assert {outcome["problem"]["code"] for outcome in outcomes[1:4]} == {"malformed_event"}
    assert (end["lines"], end["indexed"], end["refused"]) == (5, 2, 3)
    assert index.images.keys() == {"a", "c"}


async def test_rejects_and_those_that_lag_are_told_with_the_reason(http: httpx.AsyncClient, index: FakeIndex) -> None:
    index.reject = Reject(
        reason=RejectReason.DECODE_FAILED,
        detail="truncated",
        stage="decode",
        source=SourcePosition(offset=7, partition=1),
        uploaded_at=0,
        redrivable=True,
    )
    [rejected], _ = told(await http.post("/images/bulk", content=line("a"), headers=HEADERS))
    assert (rejected["state"], rejected["problem"]["code"]) == ("rejected", "decode_failed")
    index.lags = True
    [late], _ = told(await http.post("/images/bulk", content=line("a"), headers=HEADERS))
    assert (late["state"], late["problem"]["code"]) == ("late", "no_answer")
    index.unavailable = True
    [refused], _ = told(await http.post("/images/bulk", content=line("a"), headers=HEADERS))
    assert (refused["state"], refused["problem"]["code"]) == ("refused", "bus_unavailable")


async def test_a_line_without_end_is_read_no_further_than_the_limit(http: httpx.AsyncClient) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        yield line("a")
        while True:
            sent += 65_536
            yield b"x" * 65_536

    outcomes, end = told(await http.post("/images/bulk", content=body(), headers=HEADERS))
    assert [outcome["state"] for outcome in outcomes] == ["indexed"]
    assert end["problem"]["code"] == "body_too_large"
    assert sent <= MAX_BODY_BYTES + 2 * 65_536


async def test_who_sends_nothing_more_is_told_so(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_lines, "READ_WITHIN_S", 0.05)

    async def body() -> AsyncIterator[bytes]:
        yield line("a")
        await asyncio.Event().wait()

    outcomes, end = told(await http.post("/images/bulk", content=body(), headers=HEADERS))
    assert [outcome["state"] for outcome in outcomes] == ["indexed"]
    assert end["problem"]["code"] == "too_slow"


async def test_an_empty_body_is_told_as_nothing(http: httpx.AsyncClient) -> None:
    outcomes, end = told(await http.post("/images/bulk", content=b"\n", headers=HEADERS))
    assert (outcomes, end["lines"]) == ([], 0)


async def test_what_is_no_bulk_upload_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/images/bulk", json=[])
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_a_bulk_upload_holds_one_place_until_its_end(index: FakeIndex) -> None:
    async with gateway(index) as http:
        more = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield line("a")
            await more.wait()

        under_way = asyncio.create_task(http.post("/images/bulk", content=body(), headers=HEADERS))
        await until(lambda: "a" in index.images)
        assert "afterimage_gateway_in_flight 1.0" in (await http.get("/metrics")).text
        more.set()
        told(await under_way)
        assert "afterimage_gateway_in_flight 0.0" in (await http.get("/metrics")).text


async def test_a_listener_that_does_not_listen_stops_the_reading(index: FakeIndex) -> None:
    """Or memory would grow with what it is not told."""
    read = 0
    listening = asyncio.Event()
    heard: list[Event] = []

    async def lines() -> AsyncIterator[bytes]:
        nonlocal read
        for number in range(3 * UNDER_WAY):
            read += 1
            yield line(str(number))

    async def tell(event: Event) -> None:
        await listening.wait()
        heard.append(event)

    visit = Visit(caller=Caller.at("here"), index=index, rate=RateLimit(per_s=1e6, burst=1e6))
    uploading = asyncio.create_task(BulkUpload(visit, tell, welcome=lambda: True, wait_s=1).run(lines()))
    await until(lambda: len(index.images) == UNDER_WAY)
    for _ in range(1_000):
        await asyncio.sleep(0)
    assert read == UNDER_WAY + 1
    listening.set()
    await uploading
    assert read == 3 * UNDER_WAY
    assert len(index.images) == 3 * UNDER_WAY
    assert heard[-1].model_dump(exclude={"problem"})["indexed"] == 3 * UNDER_WAY
