import socket
from ipaddress import ip_address

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy
from shared.imaging.sources import addresses
from tests.unit.imaging.clock import RecordedSleep
from tests.unit.imaging.web import BODY, Site

NOT_PUBLIC = [
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",  # noqa: S104 - an address to refuse, not one to listen on
    "10.0.0.8",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.8",
    "::ffff:a9fe:a9fe",
]


class Names(AbstractResolver):
    """A name service with a few names."""

    def __init__(self, **names: list[str]) -> None:
        self._names = {name.replace("_", "."): found for name, found in names.items()}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._names[host]
        ]

    async def close(self) -> None: ...


async def reason_of(uri: str, names: Names | None = None) -> RejectReason:
    async with Fetcher(FetchPolicy(attempts=1), sleep=RecordedSleep(), resolver=names) as fetcher:
        with pytest.raises(PoisonInput) as caught:
            await fetcher.fetch(uri)
    return caught.value.reason


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert addresses.is_public(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    assert await reason_of(f"http://{host}/") is RejectReason.URI_NOT_ALLOWED


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_a_name_for_an_address_that_is_not_public_is_refused(address: str) -> None:
    names = Names(images_example=[address])
    assert await reason_of("http://images.example/", names) is RejectReason.URI_NOT_ALLOWED


async def test_one_address_that_is_not_public_spoils_the_name() -> None:
    names = Names(images_example=["1.1.1.1", "10.0.0.8"])
    assert await reason_of("http://images.example/", names) is RejectReason.URI_NOT_ALLOWED


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost"])
async def test_an_unusual_spelling_of_loopback_is_refused(host: str) -> None:
    assert await reason_of(f"http://{host}/") is RejectReason.URI_NOT_ALLOWED


async def test_the_connection_goes_to_the_address_that_was_checked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    monkeypatch.setattr(addresses, "is_public", lambda address: checked.append(str(address)) or True)
    async with Fetcher(FetchPolicy(), resolver=Names(images_example=["127.0.0.1"])) as fetcher:
        assert await fetcher.fetch(f"http://images.example:{site.port}/image") == BODY
    assert checked == ["127.0.0.1"]


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "http://metadata.example/latest"])
async def test_each_redirect_is_checked_again(site: Site, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    # The test's server stands in for a public one: its address, and no other, counts as public.
    monkeypatch.setattr(addresses, "is_public", lambda address: str(address) == "127.0.0.1")
    names = Names(metadata_example=["169.254.169.254"])
    assert await reason_of(site.url(f"/redirect?to={target}"), names) is RejectReason.URI_NOT_ALLOWED
    assert site.visits == ["/redirect"]
