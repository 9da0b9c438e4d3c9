from collections.abc import Mapping

import pytest

from tests.fakes.operations import code, upsert
from tests.fakes.virtual_time import VirtualTimeLoop, loop_factories
from tests.unit.searcher.bench import Bench


def pytest_asyncio_loop_factories() -> Mapping[str, type[VirtualTimeLoop]]:
    return loop_factories()


@pytest.fixture
async def bench() -> Bench:
    bench = Bench()
    await bench.replicas.apply(0, upsert(0, "cat", of=code(1, 2, 3, 4)), upsert(1, "dog", of=code(4, 3, 2, 1)))
    await bench.replicas.apply(1, upsert(5, "eel", of=code(-1, -2, -3, -4)))
    return bench
