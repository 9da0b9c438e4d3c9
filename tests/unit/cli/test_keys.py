"""Keys are made, listed and removed by command."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.__main__ import app
from shared.access.key_file import read_keys
from shared.access.keys import Scope, digest_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def call(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["keys", *arguments], env={"GATEWAY_KEYS": str(file)})


def test_a_key_is_printed_once_and_kept_as_its_digest(file: Path) -> None:
    made = call(file, "add", "shop", "--scope", "read", "--scope", "write", "--tenant", "shop-1")
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    [key] = read_keys(file)
    assert key.digest == digest_of(secret)
    assert (key.name, key.tenant, key.scopes) == ("shop", "shop-1", {Scope.READ, Scope.WRITE})
    assert secret not in call(file, "list").output


def test_without_a_scope_a_key_can_read_and_no_more(file: Path) -> None:
    call(file, "add", "reader")
    [listed] = json.loads(call(file, "list", "--json").stdout)
    assert (listed["name"], listed["scopes"], listed["tenant"]) == ("reader", ["read"], None)


def test_a_key_is_removed_by_the_name_of_who_has_it(file: Path) -> None:
    for name in ("a", "b"):
        call(file, "add", name)
    assert call(file, "remove", "a").exit_code == 0
    assert [key.name for key in read_keys(file)] == ["b"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["add", "a"], 2, "has a key of the name 'a' already"),
        (["add", "b", "--tenant", "x/y"], 2, "a tenant is named by"),
        (["add", "b", "--tenant", "x", "--scope", "admin"], 2, "sees all tenants"),
        (["add", "b\n"], 2, "a key's name has"),
        (["remove", "b"], 2, "has no key of the name 'b'"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(
    file: Path, arguments: list[str], status: int, said: str
) -> None:
    call(file, "add", "a")
    before = file.read_bytes()
    answer = call(file, *arguments)
    assert answer.exit_code == status
    assert said in " ".join(answer.output.split())
    assert file.read_bytes() == before


def test_a_file_that_is_not_there_is_told(file: Path) -> None:
    answer = call(file, "list")
    assert answer.exit_code == 1
    assert "No such file" in answer.output
