"""The page on security: its commands, as they stand there, make what the servers and their users need."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.kafka import JVM
from tests.harness.kafka_jars import kafka_classpath

pytestmark = [pytest.mark.slow, pytest.mark.durable]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"

SERVER = """
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=localhost:9093
log.dirs={data}
"""
INSTEAD = {"| sh -e": "> commands", "redis-server deploy/redis/secured.conf": "true"}
"""For what needs a server that runs: test_secured_wires.py does that."""


def script() -> str:
    """What the page has typed."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    typed = "\n".join(line.removeprefix("$ ") for block in blocks for line in block.splitlines())
    for theirs, ours in INSTEAD.items():
        assert theirs in typed
        typed = typed.replace(theirs, ours)
    return typed


def test_the_commands_of_the_page_work_as_they_stand_there(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    (tmp_path / "server.properties").write_text(SERVER.format(data=tmp_path / "data"), encoding="utf-8")
    secured = tmp_path / "deploy" / "kafka" / "secured.properties"
    secured.write_text(secured.read_text(encoding="utf-8").replace("/etc/kafka", str(tmp_path)), encoding="utf-8")
    tools = tmp_path / "tools"
    tools.mkdir()
    storage = shlex.join(["java", *JVM, "-cp", kafka_classpath(), "kafka.tools.StorageTool"])
    (tools / "kafka-storage.sh").write_text(f'#!/bin/sh\nexec {storage} "$@"\n', encoding="utf-8")
    (tools / "kafka-storage.sh").chmod(0o755)

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"PATH={tools}:$PATH\n{script()}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Formatting" in done.stdout
    assert "shop.afterimage.indexer" in (tmp_path / "users.acl").read_text(encoding="utf-8")
    assert "User:shop.afterimage.indexer" in (tmp_path / "commands").read_text(encoding="utf-8")
    own = ["openssl", "verify", "-CAfile", "tls/ca.pem", "tls/kafka.pem", "tls/redis.pem", "tls/indexer.pem"]
    assert subprocess.run(own, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.count(": OK") == 3
    [python] = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    subprocess.run(
        [sys.executable, "-c", python], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True
    )
    kept = [path for path in (tmp_path / "tls").iterdir() if path.suffix == ".key"]
    assert len(kept) > 8
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept), "none but their owner reads keys"
