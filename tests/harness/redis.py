"""A real Redis for tests, without persistence: a restart begins empty."""

from pathlib import Path

from services.cli.stack.ports import LOOPBACK, free_port
from services.cli.stack.probes import Probe, redis_probe
from services.cli.stack.redis import redis_command
from tests.harness.daemon import Daemon


class RedisServer(Daemon):
    """One redis-server on a port of its own, in `folder`."""

    start_timeout_s = 10.0

    def __init__(self, folder: Path, *, binary: Path | None = None) -> None:
        """binary: this redis-server instead of the one that the embedded stack would take."""
        super().__init__("redis", log=folder / "redis.log")
        self._folder = folder
        self._binary = binary
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/0"

    def command(self) -> list[str]:
        return redis_command(self.port, self._folder, binary=self._binary)

    def probe(self) -> Probe:
        return redis_probe(self.port)
