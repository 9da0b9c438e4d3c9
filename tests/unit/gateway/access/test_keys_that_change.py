"""The file of keys is followed: who was let in by a key that is gone is let in no more, and not let to stay either."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from services.gateway.access.key_ring import KeyRing
from shared.access.key_file import read_keys, write_keys
from shared.access.keys import Scope
from tests.unit.gateway.access.keys import bearing, made
from tests.unit.gateway.fakes import FakeIndex, until


def remove(file: Path) -> None:
    file.unlink()


def harm(file: Path) -> None:
    file.write_text("{")


async def until_somebody_listens(guarded: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        while (  # noqa: ASYNC110 - a metric is asked, it does not call
            "afterimage_gateway_listeners 1.0" not in (await guarded.get("/metrics", headers=bearing("admin"))).text
        ):
            await asyncio.sleep(0)


async def test_a_key_that_is_removed_is_good_no_more(guarded: httpx.AsyncClient, file: Path, ring: KeyRing) -> None:
    assert (await guarded.get("/search?id=a", headers=bearing("read"))).status_code == 200
    write_keys(file, [made("new", Scope.READ)])
    ring.look()
    assert (await guarded.get("/search?id=a", headers=bearing("read"))).status_code == 401
    assert (await guarded.get("/search?id=a", headers=bearing("new"))).status_code == 200


async def test_a_file_of_keys_that_breaks_leaves_the_keys_that_were_good(
    guarded: httpx.AsyncClient, file: Path, ring: KeyRing
) -> None:
    harm(file)
    ring.look()
    assert (await guarded.get("/search?id=a", headers=bearing("read"))).status_code == 200


async def test_a_file_of_keys_that_is_gone_lets_nobody_in_until_there_is_one_again(
    guarded: httpx.AsyncClient, file: Path, ring: KeyRing
) -> None:
    keys = read_keys(file)
    remove(file)
    ring.look()
    assert (await guarded.get("/search?id=a", headers=bearing("read"))).status_code == 401
    write_keys(file, keys)
    ring.look()
    assert (await guarded.get("/search?id=a", headers=bearing("read"))).status_code == 200


CHANGES: dict[str, Callable[[Path], None]] = {
    "removed": lambda file: write_keys(file, [made("other", Scope.READ)]),
    "good for less": lambda file: write_keys(file, [made("shop", Scope.READ)]),
    "the file is gone": remove,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_live_stream_ends_when_its_key_is_gone_or_another_one(
    guarded: httpx.AsyncClient, file: Path, ring: KeyRing, change: Callable[[Path], None]
) -> None:
    listening = asyncio.create_task(guarded.get("/live", headers=bearing("shop")))
    await until_somebody_listens(guarded)
    assert not listening.done()
    change(file)
    ring.look()
    async with asyncio.timeout(10):
        assert (await listening).status_code == 200


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_bulk_upload_ends_when_its_key_is_gone_or_another_one(
    guarded: httpx.AsyncClient, index: FakeIndex, file: Path, ring: KeyRing, change: Callable[[Path], None]
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'{"id": "a", "uri": "https://example.org"}\n'
        await asyncio.Event().wait()

    headers = bearing("shop") | {"content-type": "application/x-ndjson"}
    uploading = asyncio.create_task(guarded.post("/images/bulk", content=body(), headers=headers))
    await until(lambda: "shop/a" in index.images)
    change(file)
    ring.look()
    async with asyncio.timeout(10):
        answer = await uploading
    end = json.loads(answer.text.strip().rpartition("data: ")[2])
    assert (end["lines"], end["problem"]["code"]) == (1, "unauthorized")


async def test_other_keys_that_come_and_go_leave_a_stream_alone(
    guarded: httpx.AsyncClient, file: Path, ring: KeyRing
) -> None:
    listening = asyncio.create_task(guarded.get("/live", headers=bearing("shop")))
    await until_somebody_listens(guarded)
    [shop] = [key for key in read_keys(file) if key.name == "shop"]
    write_keys(file, [shop, made("new", Scope.READ)])
    ring.look()
    assert (await guarded.get("/search?id=a", headers=bearing("new"))).status_code == 200
    await asyncio.wait([listening], timeout=1.5)
    assert not listening.done()
    listening.cancel()
