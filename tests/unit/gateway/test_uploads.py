import hashlib
import json

import httpx
import pytest

from shared.events.faults import RejectReason
from shared.events.images import MAX_INLINE_BYTES, SourcePosition
from shared.events.rejects import Reject
from tests.unit.gateway.fakes import FakeIndex

PIXELS = b"some image"


async def test_an_image_sent_as_a_form_is_accepted_with_the_position_of_its_event(
    http: httpx.AsyncClient, index: FakeIndex
) -> None:
    answer = await http.post(
        "/images", files={"image": PIXELS}, data={"id": "a/b c", "attributes": '{"camera": "north", "tags": ["x"]}'}
    )
    assert answer.status_code == 202
    assert answer.json() == {"id": "a/b c", "source": {"partition": 1, "offset": 7}}
    assert index.images["a/b c"].data == PIXELS
    assert index.images["a/b c"].attributes == {"camera": "north", "tags": ["x"]}


async def test_without_an_id_the_same_bytes_are_the_same_image(http: httpx.AsyncClient, index: FakeIndex) -> None:
    for _ in range(2):
        answer = await http.post("/images", files={"image": PIXELS})
    assert answer.json()["id"] == hashlib.sha256(PIXELS).hexdigest()
    assert len(index.images) == 1


async def test_json_is_the_upload_event_of_the_bus(http: httpx.AsyncClient, index: FakeIndex) -> None:
    event = {"id": "a", "uri": "s3://shop/a.jpg", "attributes": {"price": 3}, "occurred_at": "2026-01-02T03:04:05Z"}
    assert (await http.post("/images", json=event)).status_code == 202
    stored = index.images["a"]
    assert (stored.uri, stored.data, stored.attributes) == ("s3://shop/a.jpg", None, {"price": 3})
    assert stored.occurred_at is not None


async def test_waiting_gives_the_receipt(http: httpx.AsyncClient) -> None:
    answer = await http.post("/images?wait=5", files={"image": PIXELS}, data={"id": "a"})
    assert answer.status_code == 200
    assert answer.json() == {
        "id": "a",
        "source": {"partition": 1, "offset": 7},
        "effect": "indexed",
        "shard": 1,
        "position": 40,
        "after_s": 0.25,
    }


async def test_who_waits_in_vain_still_learns_that_the_upload_is_safe(
    http: httpx.AsyncClient, index: FakeIndex
) -> None:
    index.lags = True
    answer = await http.post("/images?wait=0.1", files={"image": PIXELS}, data={"id": "a"})
    assert answer.status_code == 202
    assert answer.json()["source"] == {"partition": 1, "offset": 7}


async def test_who_waits_learns_why_the_upload_was_rejected(http: httpx.AsyncClient, index: FakeIndex) -> None:
    index.reject = Reject(
        reason=RejectReason.DECODE_FAILED,
        detail="truncated",
        stage="decode",
        source=SourcePosition(offset=7, partition=1),
        uploaded_at=0,
        redrivable=True,
    )
    answer = await http.post("/images?wait=5", files={"image": PIXELS})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "title": answer.json()["title"],
        "status": 422,
        "code": "decode_failed",
        "detail": "truncated",
    }


@pytest.mark.parametrize("image_id", ["a", "a/b.jpg", "/data/x.jpg", "a b", "ä?#%", "s3://bucket/key"])
async def test_any_id_can_be_deleted(http: httpx.AsyncClient, index: FakeIndex, image_id: str) -> None:
    await http.post("/images", files={"image": PIXELS}, data={"id": image_id})
    quoted = "".join(f"%{byte:02X}" for byte in image_id.encode())
    answer = await http.delete(f"/images/{quoted}?wait=5")
    assert (answer.status_code, answer.json()["effect"]) == (200, "deleted")
    assert index.images == {}


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"data": {"id": "a"}, "files": {"picture": b"x"}}, 400, "bad_request"),
        ({"files": {"image": b"x"}, "data": {"idd": "a"}}, 400, "bad_request"),
        ({"files": {"image": b"x", "more": b"y"}}, 400, "bad_request"),
        ({"files": {"image": b""}}, 400, "bad_request"),
        ({"files": {"image": b"x"}, "data": {"attributes": "{"}}, 400, "bad_request"),
        ({"files": {"image": b"x"}, "data": {"attributes": '{"a": {"b": 1}}'}}, 400, "bad_request"),
        ({"files": {"image": b"x"}, "data": {"attributes": '{"a": 99999999999999999999}'}}, 400, "malformed_event"),
        ({"files": {"image": b"x"}, "data": {"id": "a\nb"}}, 400, "malformed_event"),
        ({"files": {"image": b"x"}, "data": {"id": "a" * 513}}, 400, "malformed_event"),
        ({"files": {"image": b"x" * (MAX_INLINE_BYTES + 1)}}, 413, "inline_too_large"),
        ({"json": {"id": "a"}}, 400, "malformed_event"),
        ({"json": {"uri": "s3://a/b"}}, 400, "malformed_event"),
        ({"json": [1]}, 400, "malformed_event"),
        ({"content": b"\xff", "headers": {"content-type": "application/json"}}, 400, "malformed_event"),
        ({"content": b"{}"}, 415, "unsupported_media_type"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "bad_request"),
        ({"json": {"id": "a", "uri": "s3://a/b"}, "params": {"wait": "soon"}}, 400, "bad_request"),
        ({"json": {"id": "a", "uri": "s3://a/b"}, "params": {"wait": "61"}}, 400, "bad_request"),
    ],
)
async def test_a_bad_upload_is_refused_with_a_reason(
    http: httpx.AsyncClient, index: FakeIndex, request_: dict[str, object], status: int, code: str
) -> None:
    answer = await http.post("/images", **request_)  # type: ignore[arg-type]  # any of httpx's arguments
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert index.images == {}


async def test_the_largest_inline_image_fits_as_form_and_as_json(http: httpx.AsyncClient, index: FakeIndex) -> None:
    image = b"x" * MAX_INLINE_BYTES
    attributes = {"text": "y" * 16_000}
    form = await http.post("/images", files={"image": image}, data={"id": "a", "attributes": json.dumps(attributes)})
    event = {"id": "b", "data": (b"eHh4" * (len(image) // 3)).decode(), "attributes": attributes}
    assert form.status_code == 202
    assert (await http.post("/images", json=event)).status_code == 202
    assert len(index.images) == 2


async def test_while_kafka_takes_nothing_the_answer_is_to_come_back_later(
    http: httpx.AsyncClient, index: FakeIndex
) -> None:
    index.unavailable = True
    answer = await http.post("/images", files={"image": PIXELS})
    assert (answer.status_code, answer.json()["code"]) == (503, "bus_unavailable")
    assert answer.headers["retry-after"] == "1"
