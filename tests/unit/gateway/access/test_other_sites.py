"""Pages of other sites use the API only where they were named."""

from dataclasses import replace

import httpx

from tests.unit.gateway.fakes import FakeIndex, gateway, open_to_all

SHOP = {"origin": "https://shop.example", "sec-fetch-site": "cross-site"}
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}


async def test_no_other_site_may_read_or_write_unless_told_otherwise(http: httpx.AsyncClient, index: FakeIndex) -> None:
    asked = await http.options("/search", headers=SHOP | PREFLIGHT)
    sent = await http.post("/images", files={"image": b"x"}, headers=SHOP)
    read = await http.get("/search?id=a", headers=SHOP)
    assert asked.status_code == 405
    assert (sent.status_code, index.images) == (403, {})
    for answer in (asked, sent, read):
        assert not any(name.startswith("access-control") for name in answer.headers)


async def test_a_site_that_was_named_may_and_others_still_may_not(index: FakeIndex) -> None:
    access = replace(open_to_all(), origins=("https://shop.example",))
    async with gateway(index, access=access) as http:
        asked = await http.options("/search", headers=SHOP | PREFLIGHT)
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == "https://shop.example"
        assert "access-control-allow-credentials" not in asked.headers
        sent = await http.post("/images", files={"image": b"x"}, headers=SHOP)
        assert (sent.status_code, sent.headers["access-control-allow-origin"]) == (202, "https://shop.example")
        other = {**SHOP, "origin": "https://evil.example"}
        refused = await http.post("/images", files={"image": b"x"}, headers=other)
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers
