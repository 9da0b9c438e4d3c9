from collections.abc import AsyncIterator

import pytest

from tests.unit.imaging.web import Site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site().serving() as site:
        yield site
