import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.fetch import Fetcher
from shared.imaging.policy import FetchPolicy
from shared.imaging.sources.names import SystemResolver
from tests.unit.imaging.clock import RecordedSleep
from tests.unit.imaging.web import BODY, Site


class NameServer:
    """Knows one name; keeps whoever asks for another waiting until `release`."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.release = threading.Event()

    def lookup(self, host: str, port: int, *hints: Any) -> list[Any]:
        if host == "site.example":
            return socket.getaddrinfo("127.0.0.1", port, *hints)
        self.asked.release()
        self.release.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.release.set()


async def test_names_that_nobody_answers_for_hold_up_neither_files_nor_other_names(
    site: Site, name_server: NameServer, tmp_path: Path
) -> None:
    (tmp_path / "cat.png").write_bytes(BODY)
    shared_threads = min(32, (os.cpu_count() or 1) + 4)
    policy = FetchPolicy(file_roots=(tmp_path,), allow_private_addresses=True, attempts=1, timeout_s=5)
    silent = FetchPolicy(attempts=1, timeout_s=0.05)
    resolver = SystemResolver(name_server.lookup)
    async with Fetcher(policy, resolver=resolver) as fetcher:
        impatient = Fetcher(silent, sleep=RecordedSleep(), resolver=resolver)
        for number in range(2 * shared_threads):
            with pytest.raises(PoisonInput) as caught:
                await impatient.fetch(f"http://silent-{number}.example/")
            assert caught.value.reason is RejectReason.FETCH_FAILED
            name_server.asked.acquire()
        assert await fetcher.fetch(f"file://{tmp_path}/cat.png") == BODY
        assert await fetcher.fetch(f"http://site.example:{site.port}/image") == BODY
        name_server.release.set()
        await impatient.aclose()


async def test_a_name_that_nobody_knows_is_a_failed_fetch() -> None:
    async with Fetcher(FetchPolicy(attempts=1)) as fetcher:
        with pytest.raises(PoisonInput) as caught:
            await fetcher.fetch("http://images.invalid/cat.png")
    assert caught.value.reason is RejectReason.FETCH_FAILED


async def test_the_system_knows_both_families_of_this_host() -> None:
    resolver = SystemResolver()
    [found] = await resolver.resolve("127.0.0.1", 80)
    assert (found["host"], found["port"], found["family"]) == ("127.0.0.1", 80, socket.AF_INET)
    await resolver.close()
