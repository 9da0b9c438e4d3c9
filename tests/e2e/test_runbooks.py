"""The commands of the runbooks work as they stand there: whoever is paged types them at night."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.client import AfterimageClient, UploadRejected
from tests.harness.kafka import Broker
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import Service
from tests.unit.deploy import runbooks

SAYS = {
    "afterimage status": r"images\.uploaded +4 +4 +extractor +0\b[\s\S]*\bsearcher-0 +live\b[\s\S]*\bin the store\b",
    "afterimage verify": r"^3 +searcher-0 .* same",
    "afterimage compact --shard 3": r"^3 +before .*\n +after ",
    "afterimage redrive": r"indexed: 1",
    "redis-cli -u $REDIS_URL ping": r"^PONG$",
    "redis-cli -u $REDIS_URL client list type pubsub": r" omem=\d+",
    "kcat -C -b $KAFKA_BOOTSTRAP_SERVERS -t images.rejected -o -5 -e -f '%h %s\\n'": r"not_found",
    "curl -s localhost:8083/livez": r"\"failing\":",
}
"""What each prints."""

ELSEWHERE = {
    "afterimage fit-code": "asks for pictures of one's own: test_fit_code.py",
    "docker compose ps": "needs the containers: `make test-compose` asks for the same",
    "docker compose logs --tail 20 searcher": "likewise",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.durable,
    pytest.mark.skipif(not all(map(shutil.which, ("kcat", "redis-cli", "curl"))), reason="needs kcat and redis-cli"),
]


@pytest.fixture
def service(fresh_kafka: Broker, redis_server: RedisServer, tmp_path: Path) -> Iterator[Service]:
    """One whose topics have the names that the pages say, and something to see: three images, and one not there yet."""
    late = tmp_path / "late.jpg"
    with Service(
        bootstrap_servers=fresh_kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace="",
        folder=tmp_path,
        partitions=4,
        env={"AFTERIMAGE_SEGMENT_STORE": str(tmp_path / "store"), "AFTERIMAGE_FILE_ROOTS": str(tmp_path)},
    ) as service:
        asyncio.run(_use(service, late))
        yield service


async def _use(service: Service, late: Path) -> None:
    *pictures, last = small_pictures(4)
    async with AfterimageClient(service.bootstrap_servers) as client:
        for number, picture in enumerate(pictures):
            await client.wait_searchable(await client.upload(str(number), data=picture))
        with pytest.raises(UploadRejected):
            await client.wait_searchable(await client.upload("late", uri=late.as_uri()))
    await asyncio.to_thread(late.write_bytes, last)


def test_every_command_of_every_runbook_is_tried_somewhere() -> None:
    assert runbooks.commands() == {*SAYS, *ELSEWHERE}


def test_every_command_works_as_it_stands_there(service: Service) -> None:
    [searcher] = service.searchers
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, **service.environment, "PATH": path, "COLUMNS": "200", "NO_COLOR": "1"}
    for command, says in SAYS.items():
        typed = command.replace("localhost:8083", searcher.url)
        done = subprocess.run(
            ["bash", "-c", typed], env=environment, capture_output=True, text=True, timeout=90, check=False
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        assert re.search(says, done.stdout, re.MULTILINE), (command, done.stdout, done.stderr)
