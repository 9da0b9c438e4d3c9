"""The same service through the gateway, against the bus: by an indexed id, and by image."""

import aiohttp

from benchmarks.photos import photos
from benchmarks.queries.contenders import alternate, rows_of
from benchmarks.queries.plan import Plan
from benchmarks.table import Measured, Part
from shared.client import AfterimageClient
from shared.events.search_replies import SearchReply
from tests.harness.workers import WorkerProcess

_TOP_K = 10
_TIMEOUT_S = 60.0
BUS, HTTP, HTTP_IMAGE = "id, bus", "id, HTTP", "image, HTTP"


async def measure(plan: Plan, client: AfterimageClient, gateway: WorkerProcess) -> list[Part]:
    limit = aiohttp.TCPConnector(limit=max(plan.clients))
    async with aiohttp.ClientSession(gateway.url, connector=limit) as session:

        async def by_bus(number: int) -> SearchReply:
            reply = await client.search(id=str(number % plan.rows), top_k=_TOP_K, timeout_s=_TIMEOUT_S)
            assert reply.error is None, reply.error
            return reply

        async def by_http(number: int) -> None:
            asked = {"id": str(number % plan.rows), "top_k": str(_TOP_K), "timeout": str(_TIMEOUT_S)}
            async with session.get("/search", params=asked) as response:
                await _check(response)

        async def by_http_image(number: int) -> None:
            form = aiohttp.FormData()
            form.add_field("image", photos()[number % len(photos())], filename="photo.webp")
            asked = {"top_k": str(_TOP_K), "timeout": str(_TIMEOUT_S)}
            async with session.post("/search", params=asked, data=form) as response:
                await _check(response)

        ids = await alternate(plan, "by id", {BUS: by_bus, HTTP: by_http}, plan.queries)
        images = await alternate(plan, "by image, HTTP", {HTTP_IMAGE: by_http_image}, plan.image_queries)
    measured = ids | images
    ratios = {}
    for clients in plan.clients:
        bus, http = (Measured(name=name, values=ids[name, clients].ms) for name in (BUS, HTTP))
        suffix = "" if clients == 1 else f"_{clients}"
        ratios[f"http_p50_over_bus{suffix}"] = http.p50 / bus.p50
    return [
        Part(title="4. Over HTTP", unit="ms", rows=rows_of(measured, notes={}), ratios=ratios),
        Part(
            title="5. Over HTTP",
            unit="queries/s by the clock",
            rows=[
                Measured(name=f"{clients:>2} x {name}", values=turns.per_s)
                for (name, clients), turns in measured.items()
            ],
            ratios={},
        ),
    ]


async def _check(response: aiohttp.ClientResponse) -> None:
    text = await response.text()
    assert response.status == 200, text
