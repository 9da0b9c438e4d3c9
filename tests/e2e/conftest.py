"""What tests of the gateway have in common."""

from collections.abc import Iterator

import pytest

from tests.harness.kafka import Broker
from tests.harness.redis import RedisServer
from tests.harness.service import Service


@pytest.fixture(scope="module")
def service(
    kafka: Broker, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Service]:
    """A running service, which the tests of one file share."""
    folder = tmp_path_factory.mktemp("gateway")
    servers = {"bootstrap_servers": kafka.bootstrap_servers, "redis_url": redis_server.url}
    namespace = request.module.__name__.rpartition(".")[2].replace("_", "-")
    shown = {"gateway": {"GATEWAY_THUMBNAILS": "true"}}
    with Service(**servers, namespace=namespace, folder=folder, env_of=shown) as service:
        yield service


@pytest.fixture(scope="module")
def gateway_url(service: Service) -> Iterator[str]:
    """A gateway in front of it."""
    with service.worker("gateway", "gateway") as gateway:
        yield gateway.url
