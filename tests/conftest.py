"""Fixtures of the whole suite: a broker and a Redis for the session, fresh ones for tests that break them."""

import secrets
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
import torch  # noqa: F401 - before the index's library, which else keeps OpenVINO from working in this process

from tests.harness.choice import BrokerChoice, KafkaRequiredError, choose_broker
from tests.harness.daemon import started_in_this_test
from tests.harness.kafka import Broker
from tests.harness.redis import RedisServer
from tests.harness.service import Service

# How fast a machine is says nothing about the code.
hypothesis.settings.register_profile("here", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("here")
hypothesis.settings.register_profile("soak", max_examples=500, print_blob=True, deadline=None)
"""Long stories that differ from run to run: `pytest tests/property --hypothesis-profile=soak --timeout=1800`."""

_CHOICE = pytest.StashKey[BrokerChoice]()


def pytest_configure(config: pytest.Config) -> None:
    """Where processes share the tests out, decide on the broker before they start: its jars are fetched once."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        _choice(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Decide on the broker when a collected test uses one: a run of unit tests alone needs neither Java nor Maven."""
    if not any(_uses_broker(item) for item in items):
        return
    choice = _choice(config)
    if choice.durable:
        return
    skip = pytest.mark.skip(reason=f"needs a broker that keeps its log ({choice.why_not_kafka})")
    for item in items:
        if item.get_closest_marker("durable"):
            item.add_marker(skip)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    started_in_this_test.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failing test shows the end of the logs of the servers that it started."""
    report = yield
    if report.failed:
        report.sections += [(f"log of {daemon.name}", daemon.tail()) for daemon in started_in_this_test]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    choice = config.stash.get(_CHOICE, None)
    if choice is not None and choice.warning():
        terminalreporter.section("ATTENTION", sep="!", red=True, bold=True)
        terminalreporter.line(choice.warning(), red=True)


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The session's broker. It is shared: use names of your own (`unique_namespace`), and leave it running."""
    with _choice(request.config).make(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The session's Redis. It is shared: prefix your keys (`unique_namespace`), and leave it running."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def fresh_kafka(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker for this test alone, to be stopped, killed and restarted."""
    with _choice(request.config).make(tmp_path / "kafka") as broker:
        yield broker


@pytest.fixture
def fresh_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for this test alone, to be flushed, killed and restarted."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with RedisServer(folder) as server:
        yield server


@pytest.fixture
def unique_namespace() -> str:
    """A prefix for the topics, groups and keys of this test, valid in all of them."""
    return f"t{secrets.token_hex(4)}"


@pytest.fixture
def service(kafka: Broker, redis_server: RedisServer, unique_namespace: str, tmp_path: Path) -> Iterator[Service]:
    """The whole service, with what most tests of it need. It takes the longest of all to start."""
    with Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace=unique_namespace,
        folder=tmp_path,
    ) as running:
        yield running


def _uses_broker(item: pytest.Item) -> bool:
    used = {"kafka", "fresh_kafka"} & set(getattr(item, "fixturenames", ()))
    return bool(used) or item.get_closest_marker("durable") is not None


def _choice(config: pytest.Config) -> BrokerChoice:
    if _CHOICE not in config.stash:
        try:
            config.stash[_CHOICE] = choose_broker()
        except KafkaRequiredError as missing:
            raise pytest.UsageError(str(missing)) from missing
    return config.stash[_CHOICE]
