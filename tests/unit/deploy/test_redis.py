"""Redis' configuration: a real Redis starts with it."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from services.cli.stack.redis import RedisMissingError, redis_binary
from tests.harness.redis import RedisServer
from tests.unit.deploy.files import REDIS, services


class ConfiguredRedis(RedisServer):
    """With the configuration that is deployed, on a loopback port of its own."""

    def command(self) -> list[str]:
        binary, *options = super().command()
        here = [option for name in ("--port", "--bind", "--dir") for option in _option(options, name)]
        return [binary, str(REDIS), *here]


def _option(options: list[str], name: str) -> list[str]:
    at = options.index(name)
    return options[at : at + 2]


async def test_a_full_redis_refuses_writes_and_keeps_nothing_on_disk(tmp_path: Path) -> None:
    try:
        redis_binary()
    except RedisMissingError as missing:
        pytest.skip(str(missing))
    with ConfiguredRedis(tmp_path) as server:
        async with Redis.from_url(server.url, decode_responses=True) as redis:
            settings = await redis.config_get("maxmemory*", "save", "appendonly", "client-output-buffer-limit")
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["save"] == ""
    assert settings["appendonly"] == "no"
    assert f"pubsub {64 << 20} {16 << 20} 30" in settings["client-output-buffer-limit"]
    assert int(settings["maxmemory"]) < _megabytes(services()["redis"]["deploy"]["resources"]["limits"]["memory"])


def _megabytes(text: str) -> int:
    return int(text.removesuffix("M")) << 20
