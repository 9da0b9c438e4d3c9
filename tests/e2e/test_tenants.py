"""Two tenants share one real index, and neither reaches what the other has."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from services.cli.__main__ import app
from tests.harness.kafka import Broker
from tests.harness.redis import RedisServer
from tests.harness.service import PHOTOS, Service
from tests.harness.workers import WorkerProcess

DAMS = [PHOTOS / "energy" / "dam2.webp", PHOTOS / "energy" / "dam3.webp"]
SHOP, BANK, ALL = "shop", "bank", "all"


@pytest.fixture(scope="module")
def http(
    kafka: Broker, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, httpx.Client]]:
    """A client for each key, at a gateway that listens on all addresses."""
    folder = tmp_path_factory.mktemp("tenants")
    file = folder / "keys.json"
    both = ["--scope", "read", "--scope", "write", "--file", str(file)]
    made = {
        SHOP: CliRunner().invoke(app, ["keys", "add", SHOP, "--tenant", SHOP, *both]),
        BANK: CliRunner().invoke(app, ["keys", "add", BANK, "--tenant", BANK, *both]),
        ALL: CliRunner().invoke(app, ["keys", "add", ALL, "--scope", "admin", "--file", str(file)]),
    }
    servers = {"bootstrap_servers": kafka.bootstrap_servers, "redis_url": redis_server.url}
    with (
        Service(**servers, namespace="tenants", folder=folder) as service,
        WorkerProcess(
            "gateway",
            **servers,
            folder=folder,
            env={**service.environment, "GATEWAY_KEYS": str(file), "GATEWAY_HTTP_HOST": "0.0.0.0"},  # noqa: S104
        ) as gateway,
    ):
        clients = {
            name: httpx.Client(
                base_url=gateway.url, timeout=60, headers={"authorization": f"Bearer {key.stdout.strip()}"}
            )
            for name, key in made.items()
        }
        yield clients
        for client in clients.values():
            client.close()


def put(client: httpx.Client, image_id: str, photo: Path) -> str:
    """Upload; returns what makes a search see it."""
    answer = client.post(
        "/images?wait=30", files={"image": photo.read_bytes()}, data={"id": image_id, "attributes": '{"n": 1}'}
    )
    assert (answer.status_code, answer.json()["id"]) == (200, image_id), answer.text
    return f"{answer.json()['shard']}:{answer.json()['position']}"


def test_each_finds_and_deletes_their_own_and_the_operator_sees_all(http: dict[str, httpx.Client]) -> None:
    positions = [put(http[SHOP], "dam", DAMS[0]), put(http[BANK], "dam", DAMS[1]), put(http[BANK], "more", DAMS[0])]

    def found(name: str, **options: object) -> list[str]:
        asked = {"files": {"image": DAMS[0].read_bytes()}, "params": {"min_position": positions, **options}}
        answer = http[name].post("/search", **asked)  # type: ignore[arg-type]  # httpx's own
        assert answer.status_code == 200, answer.text
        assert all(hit["attributes"].keys() <= {"n", "tenant"} for hit in answer.json()["hits"])
        return [hit["id"] for hit in answer.json()["hits"]]

    assert found(SHOP) == ["dam"]
    assert found(BANK) == ["more", "dam"]
    assert sorted(found(ALL)) == ["bank/dam", "bank/more", "shop/dam"]
    assert found(SHOP, filter='{"$or": [{"tenant": "bank"}, {"n": 1}]}') == ["dam"]
    assert found(BANK, filter='{"@id": "more"}') == ["more"]
    assert found(BANK, exclude="more") == ["dam"]

    for name in ("more", "bank/more"):
        other = http[SHOP].get("/search", params={"id": name, "min_position": positions})
        assert (other.status_code, other.json()["code"]) == (404, "unknown_id")
        http[SHOP].delete(f"/images/{name}?wait=30").raise_for_status()
    assert found(BANK) == ["more", "dam"]
    deleted = http[BANK].delete("/images/more?wait=30").json()
    positions.append(f"{deleted['shard']}:{deleted['position']}")
    assert found(BANK) == ["dam"]


def test_without_a_key_nothing_is_told(http: dict[str, httpx.Client]) -> None:
    for path in ("/search?id=dam", "/live", "/metrics"):
        assert httpx.get(http[ALL].base_url.join(path)).status_code == 401
    assert http[ALL].get("/metrics").status_code == 200
    assert http[SHOP].get("/metrics").status_code == 403
