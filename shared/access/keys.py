"""API keys: made once, shown once, and kept as digests."""

import hashlib
import re
import secrets
from datetime import datetime
from enum import StrEnum

import msgspec

PREFIX = "afterimage_"
"""Makes a key that leaked findable by tools that look for secrets."""
_SECRET_BYTES = 32
_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_NAME = re.compile(r"[\w. @-]{1,100}")


class Scope(StrEnum):
    """What a key is good for."""

    READ = "read"
    """Search, and hear what becomes searchable."""
    WRITE = "write"
    """Upload and delete."""
    ADMIN = "admin"
    """Both, and the metrics."""

    def covers(self, wanted: "Scope") -> bool:
        return self is wanted or self is Scope.ADMIN


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a key; the key itself is not.

    name: who has it. digest: SHA-256, 64 hex digits. tenant: whose images alone it reaches; None for all.
    Raises ValueError for a name, tenant or digest that cannot be one.
    """

    name: str
    digest: str
    scopes: frozenset[Scope]
    tenant: str | None = None
    created_at: datetime

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a key's name has 1 to 100 letters, digits, spaces, or . @ _ -, not {self.name!r}")
        if self.tenant is not None and not _TENANT.fullmatch(self.tenant):
            raise ValueError(
                "a tenant is named by up to 63 of a-z, 0-9, _ and -, beginning with a letter or digit, not "
                f"{self.tenant!r}"
            )
        if not re.fullmatch(r"[0-9a-f]{64}", self.digest):
            raise ValueError(f"the digest of {self.name!r} is no SHA-256 in hex")
        if not self.scopes:
            raise ValueError(f"the key of {self.name!r} has no scope: give it one of {', '.join(Scope)}")
        if self.tenant is not None and Scope.ADMIN in self.scopes:
            raise ValueError(f"the key of {self.name!r}: {Scope.ADMIN} sees all tenants, so it has none")

    def may(self, scope: Scope) -> bool:
        return any(each.covers(scope) for each in self.scopes)


def new_secret() -> str:
    """A key, from 256 random bits."""
    return PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def digest_of(secret: str) -> str:
    """What is kept of a key. One round of SHA-256 is enough: nobody guesses 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
