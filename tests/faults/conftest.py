"""A site for several tests: starting one takes longer than most faults do."""

from collections.abc import Iterator

import pytest

from tests.faults.site import Site, Sites
from tests.harness.daemon import started_in_this_test

_PATIENCE = 4.0
"""The suite runs in several processes, on machines that do other work: `make soak` holds the service to its seconds."""


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    sites = Sites(tmp_path_factory.mktemp("sites"), patience=_PATIENCE)
    yield sites
    sites.close()


@pytest.fixture
def site(sites: Sites, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Apache Kafka, a Redis, an indexer and two searchers, for the module's tests to break: see `durable`."""
    failed = request.session.testsfailed
    site = sites.whole()
    servers = (site.kafka, site.redis, *site.service.workers)
    started_in_this_test.extend(server for server in servers if server not in started_in_this_test)
    yield site
    if request.session.testsfailed > failed:
        sites.close()
