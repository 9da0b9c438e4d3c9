"""A key is shown once, and kept as a digest in a file that only its owner reads."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.access.key_file import BadKeyFile, read_keys, write_keys
from shared.access.keys import ApiKey, Scope, digest_of, new_secret

_KEY_WITH_A_BAD_DIGEST = (
    '{"v": 1, "keys": [{"name": "a", "digest": "x", "scopes": ["read"], "created_at": "2026-01-01T00:00:00Z"}]}'
)


def key(name: str = "shop", *, tenant: str | None = None, scopes: frozenset[Scope] = frozenset({Scope.READ})) -> ApiKey:
    made = datetime(2026, 1, 2, tzinfo=UTC)
    return ApiKey(name=name, digest=digest_of(name), scopes=scopes, tenant=tenant, created_at=made)


def test_keys_come_back_from_their_file_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    write_keys(path, [key("b", tenant="shop-2"), key("a", scopes=frozenset({Scope.ADMIN}))])
    assert read_keys(path) == [key("a", scopes=frozenset({Scope.ADMIN})), key("b", tenant="shop-2")]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]


def test_the_key_itself_is_nowhere_in_the_file(tmp_path: Path) -> None:
    secret = new_secret()
    write_keys(
        tmp_path / "keys.json",
        [ApiKey(name="a", digest=digest_of(secret), scopes=frozenset({Scope.READ}), created_at=datetime.now(UTC))],
    )
    text = (tmp_path / "keys.json").read_text()
    assert digest_of(secret) in text
    assert secret not in text
    assert secret.removeprefix("afterimage_") not in text


def test_no_two_keys_are_alike() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert all(len(new_secret()) >= 11 + 43 for _ in range(10))


@pytest.mark.parametrize("tenant", ["", "a/b", "A", "-a", "a" * 64, "a b", "ä", "a\n"])
def test_a_tenant_has_a_plain_name_without_a_slash(tenant: str) -> None:
    with pytest.raises(ValueError, match="a tenant is named by"):
        key(tenant=tenant)


def test_a_key_for_everything_has_no_tenant() -> None:
    with pytest.raises(ValueError, match="sees all tenants"):
        key(tenant="shop", scopes=frozenset({Scope.ADMIN}))


def test_a_key_without_a_scope_is_none() -> None:
    with pytest.raises(ValueError, match="has no scope"):
        key(scopes=frozenset())


def test_admin_covers_everything_and_nothing_else_does() -> None:
    covered = {(one, other) for one in Scope for other in Scope if one.covers(other)}
    assert covered == {(scope, scope) for scope in Scope} | {(Scope.ADMIN, scope) for scope in Scope}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no file of keys"),
        ('{"v": 2, "keys": []}', "version 2"),
        ('{"v": 1, "keys": [{"name": "a"}]}', "no file of keys"),
        (_KEY_WITH_A_BAD_DIGEST, "no SHA-256"),
    ],
)
def test_a_file_that_is_none_of_keys_is_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(BadKeyFile, match=said):
        read_keys(path)


def test_two_keys_of_one_name_are_told(tmp_path: Path) -> None:
    write_keys(tmp_path / "keys.json", [key("a"), key("a")])
    with pytest.raises(BadKeyFile, match="several keys of the name a"):
        read_keys(tmp_path / "keys.json")
