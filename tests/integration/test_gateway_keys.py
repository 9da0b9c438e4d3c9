"""A real gateway follows its file of keys, as `afterimage keys` writes it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from services.cli.__main__ import app
from shared.bus.cluster import Cluster
from shared.events.topics import Topics
from tests.harness.kafka import Broker
from tests.harness.redis import RedisServer
from tests.harness.workers import WorkerProcess


def keys(file: Path, *command: str) -> str:
    done = CliRunner().invoke(app, ["keys", *command, "--file", str(file)])
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def bearing(file: Path) -> dict[str, str]:
    """The header of a key that reads."""
    keys(file, "add", "ops", "--scope", "admin")
    return {"authorization": f"Bearer {keys(file, 'add', 'reader', '--scope', 'read')}"}


@pytest.fixture
async def namespace(kafka: Broker, unique_namespace: str) -> str:
    """Whose topics are there."""
    async with Cluster(kafka.bootstrap_servers) as cluster:
        await cluster.create_topics(Topics(unique_namespace).specs(1))
    return unique_namespace


@pytest.fixture
def gateway(
    kafka: Broker, redis_server: RedisServer, namespace: str, file: Path, bearing: dict[str, str], tmp_path: Path
) -> Iterator[WorkerProcess]:
    assert bearing
    servers = {"bootstrap_servers": kafka.bootstrap_servers, "redis_url": redis_server.url}
    env = {"GATEWAY_KEYS": str(file), "AFTERIMAGE_NAMESPACE": namespace}
    with WorkerProcess("gateway", **servers, folder=tmp_path, env=env) as running:
        yield running


def test_a_stream_ends_by_itself_when_its_key_is_removed_and_is_not_let_in_again(
    gateway: WorkerProcess, file: Path, bearing: dict[str, str]
) -> None:
    with httpx.stream("GET", f"{gateway.url}/live", headers=bearing, timeout=30) as stream:
        for line in stream.iter_lines():  # a line a second comes as long as it is open: the end is what ends this
            if line.startswith("event: vitals") and "reader" in file.read_text():
                keys(file, "remove", "reader")
    again = httpx.get(f"{gateway.url}/live", headers=bearing)
    assert (again.status_code, again.json()["code"]) == (401, "unauthorized")


def test_without_its_file_nobody_is_let_in_and_the_log_says_so(
    gateway: WorkerProcess, file: Path, bearing: dict[str, str], tmp_path: Path
) -> None:
    with httpx.stream("GET", f"{gateway.url}/live", headers=bearing, timeout=30) as stream:
        assert stream.status_code == 200
        file.unlink()
        stream.read()
    assert httpx.get(f"{gateway.url}/search?id=a", headers=bearing).status_code == 401
    log = (tmp_path / "gateway.log").read_text()
    assert "keys_gone" in log
    assert "nobody is let in until there is a file again" in log
