"""Keys whose secrets are their names."""

from datetime import UTC, datetime

from shared.access.keys import ApiKey, Scope, digest_of


def made(name: str, *scopes: Scope, tenant: str | None = None) -> ApiKey:
    """A key whose secret is its name."""
    now = datetime.now(UTC)
    return ApiKey(name=name, digest=digest_of(name), scopes=frozenset(scopes), tenant=tenant, created_at=now)


def bearing(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}
