"""Whoever did not wait for an upload learns later what became of it."""

import httpx

from shared.events.faults import RejectReason
from shared.events.images import SourcePosition
from shared.events.rejects import Reject
from tests.unit.gateway.fakes import FakeIndex


async def test_an_upload_is_pending_until_it_takes_effect(http: httpx.AsyncClient, index: FakeIndex) -> None:
    sent = await http.post("/images", files={"image": b"x"}, data={"id": "a"})
    place = sent.headers["location"]
    assert place == "/uploads/1/7"
    index.lags = True
    answer = (await http.get(place)).json()
    assert (answer["id"], answer["partition"], answer["offset"], answer["state"]) == ("a", 1, 7, "pending")
    index.lags = False
    answer = (await http.get(f"{place}?wait=5")).json()
    assert (answer["state"], answer["shard"], answer["position"], answer["after_s"]) == ("indexed", 1, 40, 0.25)


async def test_a_delete_has_a_place_too(http: httpx.AsyncClient) -> None:
    sent = await http.delete("/images/a")
    assert (await http.get(sent.headers["location"])).json()["state"] == "deleted"


async def test_a_rejected_upload_is_told_with_its_reason(http: httpx.AsyncClient, index: FakeIndex) -> None:
    sent = await http.post("/images", files={"image": b"x"})
    source = SourcePosition(offset=7, partition=1)
    index.reject = Reject(
        reason=RejectReason.DECODE_FAILED, detail="cut", stage="decode", source=source, uploaded_at=0, redrivable=True
    )
    answer = await http.get(sent.headers["location"])
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["problem"]["code"]) == ("rejected", "decode_failed")


async def test_what_never_was_is_unknown(http: httpx.AsyncClient) -> None:
    answer = await http.get("/uploads/1/7")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_upload")
    for place in ("/uploads/1/-7", "/uploads/a/7", f"/uploads/1/{2**63}"):
        assert (await http.get(place)).status_code == 400
