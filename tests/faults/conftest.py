"""A site for several tests: starting one takes longer than most faults do."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.faults.site import Site, open_site
from tests.harness.daemon import started_in_this_test


class Sites:
    """Gives the same site again and again, until a test has failed on it."""

    def __init__(self, folder: Path) -> None:
        self._folders = (folder / f"site-{number}" for number in count())
        self._stack = ExitStack()
        self._site: Site | None = None

    def whole(self) -> Site:
        if self._site is None:
            folder = next(self._folders)
            folder.mkdir()
            self._site = self._stack.enter_context(open_site(folder))
        started_in_this_test.extend(
            server
            for server in (self._site.kafka, self._site.redis, *self._site.service.workers)
            if server not in started_in_this_test
        )
        return self._site

    def close(self) -> None:
        self._site = None
        self._stack.close()


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    sites = Sites(tmp_path_factory.mktemp("sites"))
    yield sites
    sites.close()


@pytest.fixture
def site(sites: Sites, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Apache Kafka, a Redis, an indexer and two searchers, for the module's tests to break: see `durable`."""
    failed = request.session.testsfailed
    yield sites.whole()
    if request.session.testsfailed > failed:
        sites.close()
