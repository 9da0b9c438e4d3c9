"""A connection is pinned to an address; the certificate is still held to the name."""

import ssl
from collections.abc import AsyncIterator

import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy
from tests.unit.imaging.clock import RecordedSleep
from tests.unit.imaging.inside import Names
from tests.unit.imaging.web import BODY

POLICY = FetchPolicy(allow_private_addresses=True, attempts=1)
NAMES = {name: [["127.0.0.1"]] for name in ("images.example", "other.example")}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def port(authority: trustme.CA) -> AsyncIterator[int]:
    """Where a server shows a certificate for images.example."""

    async def image(request: web.Request) -> web.Response:
        return web.Response(body=BODY)

    async def downgrade(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://images.example/image"})

    application = web.Application()
    application.router.add_get("/image", image)
    application.router.add_get("/downgrade", downgrade)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("images.example").configure_cert(context)
    server = TestServer(application)
    await server.start_server(ssl=context)
    assert server.port is not None
    yield server.port
    await server.close()


async def fetched(uri: str, authority: trustme.CA | None) -> bytes:
    trusted = ssl.create_default_context()
    if authority is not None:
        authority.configure_trust(trusted)
    async with Fetcher(POLICY, sleep=RecordedSleep(), resolver=Names(NAMES), tls=trusted) as fetcher:
        return await fetcher.fetch(uri)


async def test_a_certificate_for_the_name_is_accepted_at_the_pinned_address(port: int, authority: trustme.CA) -> None:
    assert await fetched(f"https://images.example:{port}/image", authority) == BODY


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
async def test_a_certificate_for_another_name_is_refused(port: int, authority: trustme.CA, host: str) -> None:
    with pytest.raises(PoisonInput) as caught:
        await fetched(f"https://{host}:{port}/image", authority)
    assert caught.value.reason is RejectReason.FETCH_FAILED


async def test_a_certificate_from_nobody_is_refused(port: int) -> None:
    with pytest.raises(PoisonInput) as caught:
        await fetched(f"https://images.example:{port}/image", None)
    assert caught.value.reason is RejectReason.FETCH_FAILED
    assert "Certificate" in caught.value.detail


async def test_a_redirect_from_https_to_http_is_refused(port: int, authority: trustme.CA) -> None:
    with pytest.raises(PoisonInput) as caught:
        await fetched(f"https://images.example:{port}/downgrade", authority)
    assert caught.value.reason is RejectReason.URI_NOT_ALLOWED
