"""Which network addresses a reference may lead to.

The lists are ours, from the IANA registries of special-purpose addresses: what `ipaddress` calls global differs between
releases of Python, and counts ways into an IPv4 network (6to4, local NAT64) as part of the internet.
"""

import errno
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from shared.events.faults import PoisonInput, RejectReason

_INSIDE_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by carriers and clouds; Alibaba's metadata
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # Azure's platform, which only its own machines reach
            "169.254.0.0/16",  # link-local; the metadata of most clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks of networks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_INTERNET_IPV6 = IPv6Network("2000::/3")
"""All that was ever given out. Loopback, mapped IPv4, local NAT64, unique local, link-local, multicast lie outside."""
_INSIDE_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments; Teredo, which wraps an IPv4 address
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which wraps an IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
"""Where a network without IPv4 reaches the IPv4 internet: the last 32 bits say what is really meant (RFC 6052)."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address belongs to the public internet. What is not known to is not."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _INSIDE_IPV4)
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return is_public(IPv4Address(address.packed[-4:]))
    return address in _INTERNET_IPV6 and not any(address in network for network in _INSIDE_IPV6)


def check_literal(host: str) -> None:
    """Refuse a host that is itself a non-public address: those are not resolved."""
    try:
        address = ip_address(host)
    except ValueError:
        return
    if not is_public(address):
        raise _refusal(host, host)


def open_public_socket(address: AddrInfoType) -> socket.socket:
    """Return a socket for a connection to an address. Raises OSError where the address is not public.

    Every connection passes here, whatever a parser or a resolver before it took the host for.
    """
    family, kind, protocol, _, (host, *_) = address
    if not is_public(ip_address(host)):
        raise PermissionError(errno.EACCES, f"the address {host} is not on the public internet")
    return socket.socket(family, kind, protocol)


class PublicAddressResolver(AbstractResolver):
    """Resolves a host once, and refuses it unless every address that it has is public.

    aiohttp connects to exactly the addresses that are returned here, so a name that
    changes between the check and the connection (DNS rebinding) gains nothing.
    """

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the checked addresses. Raises PoisonInput, or OSError when the name is unknown."""
        found = await self._inner.resolve(host, port, family)
        for result in found:
            if not is_public(ip_address(result["host"])):
                raise _refusal(host, result["host"])
        return found

    async def close(self) -> None:
        await self._inner.close()


def _refusal(host: str, address: str) -> PoisonInput:
    named = host if host == address else f"{host} ({address})"
    return PoisonInput(
        RejectReason.URI_NOT_ALLOWED,
        f"the host {named} is not on the public internet; publish the image where it is, "
        "or let the operator allow private addresses",
    )
