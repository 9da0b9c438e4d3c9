from collections.abc import AsyncIterator

import httpx
import pytest

from tests.unit.gateway.fakes import FakeIndex, gateway


@pytest.fixture
async def index() -> FakeIndex:
    return FakeIndex()


@pytest.fixture
async def http(index: FakeIndex) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway(index) as client:
        yield client
