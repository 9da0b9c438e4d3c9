"""No reference leads inside: what has been tried against other fetchers, and must open no connection here."""

import socket
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

import pytest

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy
from shared.imaging.sources import addresses
from tests.unit.imaging.clock import RecordedSleep
from tests.unit.imaging.inside import INSIDE, PUBLIC, Canary, Names, attempted_connections
from tests.unit.imaging.web import BODY, Site

ANSWERS = {
    "loopback.example": [["127.0.0.1"]],
    "loopback6.example": [["::1"]],
    "private.example": [["10.0.0.8"]],
    "metadata.example": [["169.254.169.254"]],
    "metadata.google.internal": [["169.254.169.254"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "compatible.example": [["::127.0.0.1"]],
    "nat64.example": [["64:ff9b::7f00:1"]],
    "unique-local.example": [["fd00:ec2::254"]],
    "link-local.example": [["fe80::1"]],
    "mixed.example": [["1.1.1.1", "127.0.0.1"]],
    "mixed6.example": [["2606:4700::1111", "::1"]],
    "last-of-many.example": [[*(f"1.1.1.{n}" for n in range(1, 60)), "192.168.0.1"]],
    "any.example": [["0.0.0.0"]],  # noqa: S104 - an answer, not where something listens
    "127.0.0.1.nip.example": [["127.0.0.1"]],
    "localhost": [["127.0.0.1"]],
    "localhost.": [["127.0.0.1"]],
    "localhost.localdomain": [["127.0.0.1"]],
    "images.localhost": [["127.0.0.1"]],
    "ip6-localhost": [["::1"]],
    "kubernetes.default.svc": [["10.96.0.1"]],
    "host.docker.internal": [["192.168.65.2"]],
    "xn--nxasmq6b": [["127.0.0.1"]],
}


class Vector(NamedTuple):
    uri: str
    why: str


VECTORS = [
    # Addresses, as they are
    Vector("http://127.0.0.1:{port}/", "loopback"),
    Vector("http://127.255.255.254:{port}/", "all of 127.0.0.0/8 is loopback"),
    Vector("http://0.0.0.0:{port}/", "connects to this host"),
    Vector("http://0.1.2.3:{port}/", "all of 0.0.0.0/8 is this host"),
    Vector("http://10.1.2.3/", "private"),
    Vector("http://172.16.0.1/", "private, first of its range"),
    Vector("http://172.31.255.254/", "private, last of its range"),
    Vector("http://192.168.1.1/", "private"),
    Vector("http://169.254.169.254/latest/meta-data/", "metadata with credentials, of most clouds"),
    Vector("http://169.254.170.2/v2/credentials", "credentials of a container on ECS"),
    Vector("http://100.100.100.200/latest/meta-data/", "metadata of Alibaba, in the range of carriers"),
    Vector("http://100.64.0.1/", "shared address space, inside of clouds"),
    Vector("http://192.0.0.192/opc/v2/instance/", "metadata of Oracle"),
    Vector("http://168.63.129.16/machine?comp=goalstate", "Azure's platform, at an address that looks public"),
    Vector("http://198.18.0.1/", "benchmark networks, used inside of VPNs and meshes"),
    Vector("http://192.0.2.1/", "documentation"),
    Vector("http://192.88.99.1/", "a 6to4 relay"),
    Vector("http://224.0.0.251:5353/", "multicast"),
    Vector("http://240.0.0.1/", "reserved, used inside by some"),
    Vector("http://255.255.255.255/", "broadcast"),
    Vector("http://[::1]:{port}/", "loopback"),
    Vector("http://[::]:{port}/", "connects to this host"),
    Vector("http://[0:0:0:0:0:0:0:1]:{port}/", "loopback in full"),
    Vector("http://[::ffff:127.0.0.1]:{port}/", "IPv4-mapped loopback"),
    Vector("http://[::ffff:7f00:1]:{port}/", "the same in hexadecimal"),
    Vector("http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/", "the same in full"),
    Vector("http://[::ffff:a9fe:a9fe]/", "IPv4-mapped metadata"),
    Vector("http://[::127.0.0.1]:{port}/", "IPv4-compatible loopback"),
    Vector("http://[64:ff9b::7f00:1]/", "NAT64 of loopback"),
    Vector("http://[64:ff9b::10.0.0.8]/", "NAT64 of a private address"),
    Vector("http://[64:ff9b:1::10.0.0.8]/", "NAT64 that is private to a network"),
    Vector("http://[2002:7f00:1::]/", "6to4 of loopback, global to older Pythons"),
    Vector("http://[2002:a00:8::1]/", "6to4 of a private address"),
    Vector("http://[2001:0:7f00:1::]/", "Teredo"),
    Vector("http://[fe80::1]/", "link-local"),
    Vector("http://[fe80::1%25lo]:{port}/", "link-local with a zone"),
    Vector("http://[::1%25lo]:{port}/", "loopback with a zone"),
    Vector("http://[2606:4700::1111%25lo]/", "a public address sent through an interface of its choice"),
    Vector("http://[fec0::1]/", "site-local"),
    Vector("http://[fd00:ec2::254]/latest/meta-data/", "unique local: metadata of AWS over IPv6"),
    Vector("http://[ff02::1]/", "multicast"),
    Vector("http://[5f00::1]/", "segment routing"),
    Vector("http://[2001:db8::1]/", "documentation"),
    Vector("http://[100::1]/", "discard"),
    # Addresses, as parsers disagree about them
    Vector("http://2130706433:{port}/", "127.0.0.1 as one number"),
    Vector("http://017700000001:{port}/", "the same in octal"),
    Vector("http://0x7f000001:{port}/", "the same in hexadecimal"),
    Vector("http://0x7f.0.0.1:{port}/", "one part in hexadecimal"),
    Vector("http://0177.0.0.1:{port}/", "one part in octal"),
    Vector("http://127.1:{port}/", "short"),
    Vector("http://127.0.1:{port}/", "short, by one part"),
    Vector("http://0:{port}/", "shortest"),
    Vector("http://00000127.0.0.1:{port}/", "leading zeros"),
    Vector("http://127.0.0.1.:{port}/", "a trailing dot"),
    Vector("http://127.0.0.1:{port}:80/", "two ports"),
    Vector("http://4294967296:{port}/", "a number that wraps around to 0"),
    Vector("http://１２７.０.０.１:{port}/", "full-width digits, which IDNA makes plain"),  # noqa: RUF001
    Vector("http://①②⑦.⓪.⓪.①:{port}/", "circled digits, which IDNA makes plain"),
    Vector("http://127。0。0。1:{port}/", "ideographic full stops, which IDNA makes dots"),
    Vector("http://%31%32%37.0.0.1:{port}/", "percent-encoded digits"),
    Vector("http://127%2e0%2e0%2e1:{port}/", "percent-encoded dots"),
    Vector("http://[127.0.0.1]:{port}/", "IPv4 in brackets"),
    Vector("http://[::1:{port}/", "a bracket that does not close"),
    Vector("http://127.0.0.1\t:{port}/", "a tab, which some parsers drop"),
    Vector("http://127.0.0.1\u200b:{port}/", "a space of no width"),
    # Names
    Vector("http://localhost:{port}/", "this host"),
    Vector("http://LOCALHOST:{port}/", "in capitals"),
    Vector("http://ｌｏｃａｌｈｏｓｔ:{port}/", "in full-width letters"),  # noqa: RUF001
    Vector("http://localhost.:{port}/", "with a trailing dot"),
    Vector("http://localhost.localdomain:{port}/", "as old hosts files know it"),
    Vector("http://images.localhost:{port}/", "any name below it, to newer resolvers"),
    Vector("http://ip6-localhost:{port}/", "as Debian's hosts file knows it"),
    Vector("http://loopback.example:{port}/", "a public name for loopback"),
    Vector("http://loopback6.example:{port}/", "the same over IPv6"),
    Vector("http://127.0.0.1.nip.example:{port}/", "a name service that answers what the name says"),
    Vector("http://private.example/", "a public name for a private address"),
    Vector("http://metadata.example/", "a public name for metadata"),
    Vector("http://metadata.google.internal/computeMetadata/v1/", "metadata of Google, by its name"),
    Vector("http://kubernetes.default.svc/api", "the cluster's own API"),
    Vector("http://host.docker.internal/", "the host of a container"),
    Vector("http://mapped.example:{port}/", "a name for an IPv4-mapped address"),
    Vector("http://compatible.example:{port}/", "a name for an IPv4-compatible address"),
    Vector("http://nat64.example/", "a name for NAT64 of loopback"),
    Vector("http://unique-local.example/", "a name for a unique local address"),
    Vector("http://link-local.example/", "a name for a link-local address"),
    Vector("http://any.example:{port}/", "a name for 0.0.0.0"),
    Vector("http://mixed.example:{port}/", "two addresses, one public: the connection might take the other"),
    Vector("http://mixed6.example:{port}/", "the same over IPv6"),
    Vector("http://last-of-many.example/", "the last of sixty addresses"),
    Vector("https://loopback.example:{port}/", "TLS is no reason to look away"),
    # Authorities
    Vector("http://images.example@127.0.0.1:{port}/", "a user that looks like the host"),
    Vector("http://images.example:80@127.0.0.1:{port}/", "and a password that looks like its port"),
    Vector("http://images.example%40127.0.0.1:{port}/", "an encoded at-sign"),
    Vector("http://a@b@127.0.0.1:{port}/", "two at-signs"),
    Vector("http://127.0.0.1:{port}\\@images.example/", "a backslash, a slash to browsers"),
    Vector("http://images.example\\@127.0.0.1:{port}/", "the same the other way round"),
    Vector("http:\\\\127.0.0.1:{port}\\", "backslashes for slashes"),
    Vector("http:///127.0.0.1:{port}/", "no host, one slash too many"),
    Vector("http:////127.0.0.1:{port}/", "no host, two slashes too many"),
    Vector("HtTp://127.0.0.1:{port}/", "a scheme in mixed case"),
    Vector("http://127.0.0.1:{port}\r\nHost: images.example/", "a line break in the authority"),
    Vector("http://127.0.0.1:99999999/", "a port that is none"),
    Vector("http://127.0.0.1:22/", "SSH"),
    Vector("http://127.0.0.1:6379/%0D%0AFLUSHALL", "Redis, and a command for it"),
    # Schemes
    Vector("gopher://127.0.0.1:{port}/_FLUSHALL", "speaks any protocol"),
    Vector("ftp://127.0.0.1:{port}/", "another protocol"),
    Vector("dict://127.0.0.1:{port}/info", "another protocol"),
    Vector("ldap://127.0.0.1:{port}/", "another protocol"),
    Vector("unix:///var/run/docker.sock", "the root of this host"),
    Vector("jar:http://127.0.0.1:{port}/!/", "a scheme within a scheme"),
    Vector("url:http://127.0.0.1:{port}/", "a scheme that some libraries strip"),
    Vector(" http://127.0.0.1:{port}/", "a blank that some parsers strip"),
    Vector("http:127.0.0.1:{port}", "no authority to some, a host to others"),
    Vector("//127.0.0.1:{port}/", "no scheme"),
    Vector("127.0.0.1:{port}/", "nothing but the host"),
    Vector("file://127.0.0.1:{port}/etc/passwd", "a file on a host"),
    Vector("file:///proc/self/environ", "the worker's credentials"),
    Vector("file://////127.0.0.1/share/x", "a file on a share"),
    Vector("s3://127.0.0.1:{port}/secret", "a host for a bucket"),
    Vector("s3://a@127.0.0.1/secret", "a user for a bucket"),
]

REDIRECTS = [
    Vector("http://{inside}:{port}/", "an address"),
    Vector("//{inside}:{port}/", "an address, with the page's scheme"),
    Vector("http://user@{inside}:{port}/", "an address behind a user"),
    Vector("http://2130706434:{port}/", "an address as a number"),
    Vector("http://0x7f000002:{port}/", "an address in hexadecimal"),
    Vector("http://[::ffff:{inside}]:{port}/", "a mapped address"),
    Vector("http://[::1]:{port}/", "IPv6"),
    Vector("http://169.254.169.254/latest/meta-data/", "metadata"),
    Vector("http://inside.example:{port}/", "a name"),
    Vector("https://inside.example:{port}/", "a name, over TLS"),
    Vector("http://site.example:{port}/", "the page's own name, which has moved inside meanwhile"),
    Vector("/redirect?to=http://inside.example:{port}/", "a second redirect"),
    Vector("/redirect?to=/redirect%3Fto%3Dhttp://inside.example:{port}/", "a third redirect"),
    Vector("file:///etc/passwd", "a file"),
    Vector("FILE:///etc/passwd", "a file, in capitals"),
    Vector("s3://images/secret", "an object that the worker's credentials open"),
    Vector("gopher://{inside}:{port}/_FLUSHALL", "another protocol"),
    Vector("data:image/png;base64,iVBORw0KGgo=", "data"),
    Vector("javascript:alert(1)", "a script"),
    Vector("http:///{inside}:{port}/", "no host"),
    Vector("\\\\{inside}:{port}\\", "backslashes"),
]


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    async with Canary().listening() as canary:
        yield canary


@pytest.fixture
def a_public_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let one loopback address count as public, so that a real server can stand there; no other one does."""
    is_public = addresses.is_public

    def but_one(address: IPv4Address | IPv6Address) -> bool:
        return str(address) == PUBLIC or is_public(address)

    monkeypatch.setattr(addresses, "is_public", but_one)


def test_there_are_more_than_sixty_ways_and_no_two_are_the_same() -> None:
    uris = [vector.uri for vector in VECTORS]
    assert len(set(uris)) == len(uris) > 60


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.why)
async def test_no_reference_opens_a_connection_to_the_inside(canary: Canary, vector: Vector) -> None:
    policy = FetchPolicy(attempts=2, timeout_s=5)
    with attempted_connections() as attempted:
        async with Fetcher(policy, sleep=RecordedSleep(), resolver=Names(ANSWERS)) as fetcher:
            with pytest.raises(PoisonInput) as caught:
                await fetcher.fetch(vector.uri.replace("{port}", str(canary.port)))
    assert attempted == []
    assert canary.connections == 0
    assert caught.value.reason in {RejectReason.URI_NOT_ALLOWED, RejectReason.FETCH_FAILED}


@pytest.mark.parametrize("uri", ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://0x7f000001:{port}/"])
async def test_without_the_protection_the_canary_would_have_seen_them(canary: Canary, uri: str) -> None:
    policy = FetchPolicy(attempts=1, allow_private_addresses=True)
    async with Fetcher(policy, resolver=Names(ANSWERS)) as fetcher:
        with pytest.raises(PoisonInput):
            await fetcher.fetch(uri.format(port=canary.port))
    assert canary.connections > 0


@pytest.mark.usefixtures("a_public_loopback")
@pytest.mark.parametrize("vector", REDIRECTS, ids=lambda vector: vector.why)
async def test_no_redirect_opens_a_connection_to_the_inside(site: Site, canary: Canary, vector: Vector) -> None:
    names = Names({"site.example": [[PUBLIC], [INSIDE]], "inside.example": [[INSIDE]]})
    target = vector.uri.format(inside=INSIDE, port=canary.port)
    with attempted_connections() as attempted:
        async with Fetcher(FetchPolicy(attempts=1), resolver=names) as fetcher:
            with pytest.raises(PoisonInput) as caught:
                await fetcher.fetch(f"http://site.example:{site.port}/redirect?to={target}")
    assert caught.value.reason in {RejectReason.URI_NOT_ALLOWED, RejectReason.NOT_FOUND}
    assert set(attempted) == {PUBLIC}
    assert canary.connections == 0


@pytest.mark.usefixtures("a_public_loopback")
async def test_a_kept_connection_stays_where_it_was_when_its_name_moves_inside(site: Site, canary: Canary) -> None:
    names = Names({"site.example": [[PUBLIC], [INSIDE]]})
    with attempted_connections() as attempted:
        async with Fetcher(FetchPolicy(), resolver=names) as fetcher:
            for _ in range(3):
                assert await fetcher.fetch(f"http://site.example:{site.port}/image") == BODY
    assert attempted == [PUBLIC]
    assert len(site.connections) == 1


@pytest.mark.usefixtures("a_public_loopback")
async def test_a_name_that_moves_inside_between_two_references_is_refused(site: Site, canary: Canary) -> None:
    names = Names({"site.example": [[PUBLIC], [INSIDE]]})
    with attempted_connections() as attempted:
        async with Fetcher(FetchPolicy(attempts=1), resolver=names) as fetcher:
            assert await fetcher.fetch(f"http://site.example:{site.port}/image") == BODY
            with pytest.raises(PoisonInput) as caught:
                await fetcher.fetch(f"http://site.example:{canary.port}/image")
    assert caught.value.reason is RejectReason.URI_NOT_ALLOWED
    assert attempted == [PUBLIC]
    assert canary.connections == 0


def test_the_last_gate_opens_no_socket_to_the_inside_whatever_was_resolved() -> None:
    for host in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with pytest.raises(PermissionError):
            addresses.open_public_socket((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, 80)))
