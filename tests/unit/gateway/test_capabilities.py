"""Clients learn what they may ask."""

from io import BytesIO

import httpx
import pytest
from PIL import Image

from services.gateway.api import capabilities
from services.gateway.api.capabilities import Searchers
from services.gateway.connection import Connection
from shared.events.search_replies import ErrorCode, SearchFailure
from tests.unit.gateway.fakes import FakeIndex


async def test_a_client_learns_the_scheme_and_the_limits(http: httpx.AsyncClient) -> None:
    answer = (await http.get("/capabilities")).json()
    assert answer["searching"] == {"scheme": "f16:0123", "text": True, "shards": [0, 1]}
    assert answer["limits"]["examples"] == 32
    assert answer["limits"]["image_bytes"] == 262_144


async def test_a_client_learns_that_texts_are_not_understood(http: httpx.AsyncClient, index: FakeIndex) -> None:
    index.reads_text = False
    assert (await http.get("/capabilities")).json()["searching"]["text"] is False


async def test_while_no_searcher_answers_the_limits_are_told_all_the_same(
    http: httpx.AsyncClient, index: FakeIndex
) -> None:
    index.failure = SearchFailure(code=ErrorCode.OVERLOADED, message="too many")
    answer = (await http.get("/capabilities")).json()
    assert answer["searching"] is None
    assert answer["limits"]["batch"] == 64


@pytest.mark.parametrize(("answers", "remembered_s"), [(True, 60.0), (False, 5.0)])
async def test_a_searcher_is_asked_once_in_a_while(index: FakeIndex, answers: bool, remembered_s: float) -> None:
    now = 1000.0
    connection = Connection(lambda: pytest.fail("it is connected"))
    connection.index = index
    searchers = Searchers(connection, clock=lambda: now)
    if not answers:
        index.failure = SearchFailure(code=ErrorCode.NOT_READY, message="loading")
    for _ in range(3):
        assert bool(await searchers.searching()) is answers
    assert len(index.searches) == 1
    now += remembered_s - 0.01
    await searchers.searching()
    assert len(index.searches) == 1
    now += 0.01
    await searchers.searching()
    assert len(index.searches) == 2


def test_the_picture_that_is_asked_with_is_one() -> None:
    with Image.open(BytesIO(capabilities._GREY)) as picture:
        picture.load()
        assert picture.size == (64, 64)
