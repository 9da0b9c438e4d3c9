from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis.strategies import integers, ip_addresses

from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy
from shared.imaging.sources import addresses
from tests.unit.imaging.inside import Names, attempted_connections
from tests.unit.imaging.web import BODY, Site

TRANSLATED = int(IPv6Address("64:ff9b::"))


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450:4001::1",
        "64:ff9b::1.1.1.1",
    ],
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert addresses.is_public(ip_address(address))


@given(ip_addresses())
def test_what_python_knows_to_be_private_is_not_public(address: IPv4Address | IPv6Address) -> None:
    assert address.is_global or not addresses.is_public(address)


@given(integers(0, 2**32 - 1))
def test_a_translated_address_is_as_public_as_what_it_stands_for(number: int) -> None:
    assert addresses.is_public(IPv6Address(TRANSLATED + number)) == addresses.is_public(IPv4Address(number))


async def test_the_connection_goes_to_the_address_that_was_checked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda address: str(address) == "127.0.0.1")
    names = Names({"images.example": [["127.0.0.1"], ["127.0.0.2"]]})
    with attempted_connections() as attempted:
        async with Fetcher(FetchPolicy(), resolver=names) as fetcher:
            assert await fetcher.fetch(f"http://images.example:{site.port}/image") == BODY
    assert attempted == ["127.0.0.1"]
