import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.gateway import connection
from services.gateway.app import make_gateway
from shared.client import BusUnavailable
from shared.runtime.server import Stop
from tests.unit.gateway.fakes import FakeIndex, gateway, open_to_all, quiet, serving, until, until_ready


async def test_before_kafka_is_there_the_gateway_answers_and_says_so(
    index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_RETRY_S", 0.001)
    kafka_is_there = asyncio.Event()

    @asynccontextmanager
    async def open_index() -> AsyncIterator[FakeIndex]:
        if not kafka_is_there.is_set():
            raise BusUnavailable("no broker")
        yield index

    async with serving(make_gateway(open_index, Stop(), live=quiet(), access=open_to_all())) as http:
        assert (await http.get("/livez")).status_code == 200
        assert (await http.get("/readyz")).status_code == 503
        assert (await http.get("/")).status_code == 200
        refused = await http.get("/search?id=a")
        assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
        assert refused.headers["retry-after"] == "1"
        kafka_is_there.set()
        await until_ready(http)
        assert (await http.get("/search?id=a")).status_code == 200


async def test_a_stop_closes_the_connection(index: FakeIndex) -> None:
    closed = False

    @asynccontextmanager
    async def open_index() -> AsyncIterator[FakeIndex]:
        nonlocal closed
        try:
            yield index
        finally:
            closed = True

    async with serving(make_gateway(open_index, Stop(), live=quiet(), access=open_to_all())) as http:
        await until_ready(http)
    assert closed


async def test_a_broker_that_hangs_does_not_hold_up_the_stop(index: FakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_CLOSE_WITHIN_S", 0.001)

    @asynccontextmanager
    async def open_index() -> AsyncIterator[FakeIndex]:
        try:
            yield index
        finally:
            await asyncio.Event().wait()

    async with (
        asyncio.timeout(10),
        serving(make_gateway(open_index, Stop(), live=quiet(), access=open_to_all())) as http,
    ):
        await until_ready(http)


async def test_a_connection_that_fails_for_no_known_reason_ends_the_worker(index: FakeIndex) -> None:
    stop = Stop()

    @asynccontextmanager
    async def open_index() -> AsyncIterator[FakeIndex]:
        raise ValueError("a bug")
        yield index

    async with serving(make_gateway(open_index, stop, live=quiet(), access=open_to_all())):
        await until(lambda: stop.status == 1)


async def test_a_gateway_that_hears_no_answers_any_more_is_not_alive_and_says_why(index: FakeIndex) -> None:
    async with gateway(index) as http:
        assert (await http.get("/livez")).status_code == 200
        index.deaf = "nothing listens to search.replies any more"
        answer = await http.get("/livez")
        assert (answer.status_code, answer.json()["failing"]) == (503, {"answers": index.deaf})


async def test_a_gateway_that_was_told_to_stop_is_not_ready_at_once_and_alive(index: FakeIndex) -> None:
    stop = Stop()
    async with gateway(index, stop=stop) as http:
        assert (await http.get("/readyz")).status_code == 200
        stop()
        answer = await http.get("/readyz")
        assert (answer.status_code, list(answer.json()["failing"])) == (503, ["stopping"])
        assert (await http.get("/livez")).status_code == 200
