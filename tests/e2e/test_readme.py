"""The README's examples, word for word, against the running service on real servers."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.kafka import Broker
from tests.harness.redis import RedisServer
from tests.harness.service import Service
from tests.harness.workers import WorkerProcess

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def service(fresh_kafka: Broker, fresh_redis: RedisServer, tmp_path: Path) -> Iterator[Service]:
    """The examples name the topics as they are without a namespace, so they get servers of their own."""
    with Service(
        bootstrap_servers=fresh_kafka.bootstrap_servers,
        redis_url=fresh_redis.url,
        namespace="",
        folder=tmp_path,
    ) as running:
        yield running


def test_the_examples_work(service: Service, fresh_kafka: Broker, fresh_redis: RedisServer, tmp_path: Path) -> None:
    """One test for all, since starting the service takes longest."""
    if fresh_kafka.durable:  # librdkafka does not speak to the embedded broker, which the README says
        assert shutil.which("kcat"), "kcat is not installed: run tests/tools/install.sh"
        shell = run(["bash", "-euo", "pipefail", "-c", example("kcat")], service)
        assert '"effect":"indexed"' in shell
        assert "correlation_id=42" in shell
        assert '"hits":[{"id":"panda","score":' in shell

    assert python("python", service).splitlines()[0] == "1.000  panda  {'kind': 'animal'}"
    assert python("python-sync", service) == "['panda']\n"
    with WorkerProcess(
        "gateway",
        bootstrap_servers=service.bootstrap_servers,
        redis_url=fresh_redis.url,
        folder=tmp_path,
        env=service.environment,
    ) as gateway:
        code = example("curl").replace("http://localhost:8084", gateway.url)
        answers = run(["bash", "-euo", "pipefail", "-c", code], service)
    assert answers.count('"hits":[{"id":"panda"') == 2


def python(name: str, service: Service) -> str:
    """What an example in Python prints."""
    code = example(name).replace('"localhost:9092"', repr(service.bootstrap_servers))
    return run([sys.executable, "-c", code], service)


def example(name: str) -> str:
    """The code block that stands behind a mark in the README."""
    (found,) = re.findall(rf"<!-- test: {name} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    return str(found)


def run(command: list[str], service: Service) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **service.environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
