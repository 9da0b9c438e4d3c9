from collections.abc import Mapping

from tests.fakes.virtual_time import VirtualTimeLoop, loop_factories


def pytest_asyncio_loop_factories() -> Mapping[str, type[VirtualTimeLoop]]:
    return loop_factories()
