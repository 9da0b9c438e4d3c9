"""Which network addresses a reference may lead to."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

from shared.events.faults import PoisonInput, RejectReason


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address belongs to the public internet, looking inside IPv4-mapped IPv6."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_global and not address.is_multicast


def check_literal(host: str) -> None:
    """Refuse a host that is itself a non-public address: aiohttp connects to those without resolving."""
    try:
        address = ip_address(host)
    except ValueError:
        return
    if not is_public(address):
        raise _refusal(host, host)


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
