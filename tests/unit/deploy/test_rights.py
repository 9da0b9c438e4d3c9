"""The files that say who may do what in Kafka and Redis: complete, and made into what the servers take."""

import hashlib
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from shared.events.topics import Topics
from tests.unit.deploy.files import ROOT

ACLS, RIGHTS = ROOT / "deploy" / "kafka" / "acls.py", ROOT / "deploy" / "kafka" / "acls.toml"
USERS = ROOT / "deploy" / "redis" / "users.py"
TOPICS = {*Topics().pipeline(), Topics().replies}


def printed(script: Path, *arguments: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, str(script), *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    for user in ("extractor", "indexer", "searcher", "gateway", "operator"):
        (tmp_path / user).write_text(f"{user}'s own\n", encoding="utf-8")
    return tmp_path


def test_the_rights_name_topics_and_groups_that_there_are() -> None:
    named = {
        resource
        for operations in tomllib.loads(RIGHTS.read_text(encoding="utf-8")).values()
        for resources in operations.values()
        for resource in resources
    }
    topics = {each.removeprefix("topic ").removesuffix("*") for each in named if each.startswith("topic ")}
    groups = {each.removeprefix("group ").removesuffix("*") for each in named if each.startswith("group ")}
    assert topics == TOPICS
    assert groups == {Topics().group(worker) for worker in ("extractor", "indexer", "searcher")}


def test_a_namespace_stands_before_every_name_in_the_printed_commands() -> None:
    plain = [shlex.split(line) for line in printed(ACLS, "--bootstrap-server", "kafka:9092").splitlines()]
    prefixed = [
        shlex.split(line)
        for line in printed(ACLS, "--namespace", "shop", "--bootstrap-server", "kafka:9092").splitlines()
    ]
    assert len(plain) == len(prefixed) > 10
    for without, within in zip(plain, prefixed, strict=True):
        assert without[:4] == within[:4] == ["kafka-acls.sh", "--bootstrap-server", "kafka:9092", "--add"]
        for option, bare, named in zip(without[4:], without[5:], within[5:], strict=False):
            if option in ("--topic", "--group"):
                assert named == f"shop.{bare}"
            if option == "--allow-principal":
                assert (bare.partition(".")[0], named) == ("User:afterimage", bare.replace(":", ":shop."))


def test_rights_are_taken_away_by_the_same_commands() -> None:
    assert printed(ACLS, "--remove").replace("--remove", "--add") == printed(ACLS)


def test_the_users_of_redis_come_with_the_hashes_of_their_passwords_and_the_default_one_is_off(passwords: Path) -> None:
    lines = [line.split() for line in printed(USERS, str(passwords), "shop").splitlines()]
    assert lines[0] == ["user", "default", "off"]
    for user, name, state, digest, *_ in lines[1:]:
        assert (user, state) == ("user", "on")
        own = f"{name.removeprefix('shop.afterimage.')}'s own".encode()
        assert digest == f"#{hashlib.sha256(own).hexdigest()}"
    assert len(lines) == 6


def test_no_right_in_redis_reaches_beyond_the_namespace(passwords: Path) -> None:
    for namespace, begin in (("shop", "{shop."), ("", "{")):
        words = printed(USERS, str(passwords), namespace).split()
        patterns = [word.lstrip("%RW").lstrip("~&") for word in words if word[0] in "%~&"]
        assert len(patterns) > 15
        assert all(pattern.startswith((f"{begin}s[0-9]*}}:", f"{begin}codes}}:")) for pattern in patterns)


def test_nobody_gets_a_whole_category_of_commands_in_redis(passwords: Path) -> None:
    words = printed(USERS, str(passwords)).split()
    given = {word for word in words if word.startswith("+")}
    assert "+ping" in given
    assert not given & {"+config", "+flushall", "+flushdb", "+keys", "+eval", "+script", "+acl", "+client", "+debug"}
    assert not [word for word in given if word.startswith("+@")]


def test_a_user_of_redis_without_a_password_is_refused(passwords: Path) -> None:
    (passwords / "indexer").write_text("\n", encoding="utf-8")
    assert "a password is empty" in printed(USERS, str(passwords), status=1)
