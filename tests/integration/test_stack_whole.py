"""The whole embedded stack, with stand-ins for the workers."""

import asyncio
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from services.cli.stack import ChildDiedError, StackConfig, WorkerSpec, embedded_stack
from services.cli.stack.ports import free_port, free_ports, is_free

STAND_IN = """
import http.server, os, sys, time

ready_at = time.monotonic() + 0.2

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if time.monotonic() > ready_at else 503)
        self.end_headers()
        self.wfile.write(f"{os.environ['KAFKA_BOOTSTRAP_SERVERS']} {os.environ['REDIS_URL']}".encode())
    def log_message(self, *args):
        pass

http.server.HTTPServer(("127.0.0.1", int(os.environ["STANDIN_HTTP_PORT"])), Health).serve_forever()
"""


class Transcript:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, name: str, text: str) -> None:
        self.lines.append(f"{name}: {text}")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackConfig:
    (tmp_path / "standin.py").write_text(STAND_IN)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    broker_port, redis_port, *http_ports = free_ports(4)
    environment = {"PYTHONPATH": str(tmp_path)}
    return StackConfig(
        broker_port=broker_port,
        redis_port=redis_port,
        workers=tuple(
            WorkerSpec(name=f"standin-{port}", module="standin", http_port=port, env=environment) for port in http_ports
        ),
    )


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def leftovers() -> list[Path]:
    return list(Path(tempfile.gettempdir()).iterdir())


async def no_topics(bootstrap_servers: str) -> None:
    pass


async def test_the_stack_is_ready_inside_the_block_and_gone_after_it(config: StackConfig) -> None:
    topics_on: list[str] = []

    async def create_topics(bootstrap_servers: str) -> None:
        topics_on.append(bootstrap_servers)

    async with embedded_stack(config, create_topics=create_topics, sink=Transcript()) as stack:
        assert topics_on == [stack.bootstrap_servers]
        async with aiohttp.ClientSession() as session:
            for url in stack.worker_urls.values():
                async with session.get(f"{url}/readyz") as reply:
                    assert reply.status == 200
                    assert await reply.text() == f"{stack.bootstrap_servers} {stack.redis_url}"
    ports = [config.broker_port, config.redis_port, *(worker.http_port for worker in config.workers)]
    assert all(is_free(port) for port in ports)
    assert leftovers() == []


async def test_a_taken_port_is_replaced_and_that_is_said(config: StackConfig, taken_port: int) -> None:
    transcript = Transcript()
    config = replace(config, redis_port=taken_port, workers=())
    async with embedded_stack(config, create_topics=no_topics, sink=transcript) as stack:
        assert str(taken_port) not in stack.redis_url
    assert any(line.startswith(f"stack: port {taken_port} is taken: redis uses port") for line in transcript.lines)


async def test_servers_of_the_users_own_are_used_and_none_is_started(config: StackConfig) -> None:
    transcript = Transcript()
    given = {"KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092", "REDIS_URL": "redis://redis.example:6379/1"}
    own = StackConfig.from_environment(given, workers=config.workers)
    async with embedded_stack(own, create_topics=no_topics, sink=transcript) as stack:
        assert (stack.bootstrap_servers, stack.redis_url) == tuple(given.values())
    assert not any("broker" in line or "Redis" in line for line in transcript.lines)


async def test_a_worker_that_cannot_start_ends_the_stack_with_its_last_lines(config: StackConfig) -> None:
    broken = WorkerSpec(name="indexer", module="no_such_module", http_port=free_port())
    config = replace(config, workers=(*config.workers, broken))
    with pytest.raises(ChildDiedError, match=r"indexer ended with status 1 before it was ready[\s\S]*no_such_module"):
        async with embedded_stack(config, create_topics=no_topics, sink=Transcript()):
            pass
    assert is_free(config.broker_port)


async def test_a_cancelled_stack_stops_clean(config: StackConfig) -> None:
    up = asyncio.Event()

    async def run() -> None:
        async with embedded_stack(config, create_topics=no_topics, sink=Transcript()):
            up.set()
            await asyncio.sleep(60)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run())
        await up.wait()
        task.cancel()
    assert task.cancelled()
    assert is_free(config.broker_port)
