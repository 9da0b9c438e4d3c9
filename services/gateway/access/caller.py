"""Who sends a request, and what they may do."""

from dataclasses import dataclass
from http import HTTPStatus

from services.gateway.problems import Problem
from shared.access.keys import ApiKey, Scope
from shared.access.tenancy import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """name: what requests are counted by: a key's name, or an address. tenant: None for who reaches all images.

    key: what they came with; None where no keys are asked for.
    """

    name: str
    scopes: frozenset[Scope]
    tenant: Tenant | None = None
    key: ApiKey | None = None

    @classmethod
    def with_key(cls, key: ApiKey) -> "Caller":
        tenant = None if key.tenant is None else Tenant(key.tenant)
        return cls(name=f"key {key.name}", scopes=key.scopes, tenant=tenant, key=key)

    @classmethod
    def at(cls, address: str) -> "Caller":
        """Where there are no keys, whoever reaches the gateway may use all of it."""
        return cls(name=f"address {address}", scopes=frozenset(Scope))

    def check(self, scope: Scope) -> None:
        """Raises Problem where the caller may not do that."""
        if not any(each.covers(scope) for each in self.scopes):
            granted = ", ".join(sorted(self.scopes))
            raise Problem(
                HTTPStatus.FORBIDDEN, "forbidden", f"this takes a key with the scope '{scope}'; this one has {granted}"
            )
