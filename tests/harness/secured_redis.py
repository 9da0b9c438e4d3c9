"""Redis as deploy/redis/secured.conf has it: TLS alone, and users with their rights."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.cli.stack.ports import LOOPBACK, free_port
from services.cli.stack.probes import Probe
from services.cli.stack.redis import redis_binary
from shared.replication.connection import connect
from shared.replication.log import LogUnavailable
from shared.wires.redis import RedisAddress
from shared.wires.settings import RedisSettings
from tests.harness.credentials import DEPLOY, Credentials
from tests.harness.daemon import Daemon


class SecuredRedis(Daemon):
    """In `folder`, with its users file, made by deploy/redis/users.py."""

    start_timeout_s = 10.0

    def __init__(self, folder: Path, credentials: Credentials) -> None:
        super().__init__("redis", log=folder / "redis.log")
        self.port = free_port()
        self._folder = folder
        self._credentials = credentials
        shutil.copy(DEPLOY / "redis" / "redis.conf", folder)
        secured = (DEPLOY / "redis" / "secured.conf").read_text(encoding="utf-8")
        secured = secured.replace("/etc/redis/tls", str(credentials.folder / "tls"))
        (folder / "secured.conf").write_text(secured.replace("/etc/redis", str(folder)), encoding="utf-8")
        script = [sys.executable, str(DEPLOY / "redis" / "users.py"), str(credentials.folder / "passwords")]
        with (folder / "users.acl").open("wb") as users:
            subprocess.run([*script, credentials.namespace], check=True, stdout=users, timeout=30)
            digest = hashlib.sha256(credentials.password("admin").encode()).hexdigest()
            users.write(f"user admin on #{digest} +acl|log\n".encode())  # to see what the others were refused

    @property
    def url(self) -> str:
        return f"rediss://{LOOPBACK}:{self.port}/0"

    def address(self, user: str) -> RedisAddress:
        """What a client shows that comes with a password."""
        shown = {"REDIS_URL": self.url, **self._credentials.by_password(user)}
        return RedisSettings.model_validate(shown).redis

    async def refused(self) -> list[str]:
        """Who was refused which command, key or channel, since it was started."""
        async with Redis.from_url(self.url, protocol=2, driver_info=None, **self.address("admin").options()) as admin:
            entries = await admin.acl_log()
        return [f"{entry['username']}: {entry['reason']} {entry['object']}" for entry in entries]

    def command(self) -> list[str]:
        where = ["--tls-port", str(self.port), "--bind", LOOPBACK, "--dir", str(self._folder)]
        return [str(redis_binary()), str(self._folder / "secured.conf"), *where]

    def probe(self) -> Probe:
        async def probe() -> bool:
            try:
                async with connect(self.address("operator")) as redis:
                    return bool(await redis.ping())
            except (LogUnavailable, RedisError):
                return False

        return probe
