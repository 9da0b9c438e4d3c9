"""The variables that the chart sets: each is one that the worker reads, with a value that it starts with."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.gateway.settings import GatewaySettings
from shared.events.topics import Topics
from shared.runtime.settings import load
from tests.unit.deploy.chart.pod import as_in_a_pod
from tests.unit.deploy.chart.rendering import CHART, NAMESPACE, every_scenario, refusal, render, rendered
from tests.unit.deploy.chart.worker_settings import settings_of, variables_of
from tests.unit.deploy.files import WORKERS
from tests.unit.deploy.files import load as load_yaml


@every_scenario
def test_a_worker_reads_every_variable_that_is_set_for_it(scenario: str) -> None:
    for each in rendered(scenario).containers():
        unknown = {name for name in each.env if not name.startswith("AWS_")} - variables_of(each.worker)
        assert unknown == set(), each.worker


@every_scenario
def test_no_variable_is_set_twice(scenario: str) -> None:
    for each in rendered(scenario).containers():
        names = [variable["name"] for variable in each.spec["env"]]
        assert sorted(names) == sorted(set(names))


@every_scenario
def test_a_worker_starts_with_what_is_set_for_it(
    scenario: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own settings class takes all of it, once the folders and the files are there."""
    for name in {name for worker in WORKERS for name in variables_of(worker)}:
        monkeypatch.delenv(name, raising=False)
    for each in rendered(scenario).containers():
        load(settings_of(each.worker), as_in_a_pod(each, tmp_path))


@every_scenario
def test_no_secret_stands_in_what_is_rendered(scenario: str) -> None:
    assert rendered(scenario).of_kind("Secret") == []
    for each in rendered(scenario).containers():
        told = [name for name, value in each.env.items() if isinstance(value, str)]
        assert [name for name in told if re.search("SECRET|PASSWORD|TOKEN|ACCESS_KEY", name)] == []


def test_a_shared_setting_reaches_the_workers_that_read_it() -> None:
    made = render(settings={"AFTERIMAGE_CODE": "f16", "AFTERIMAGE_ENCODER": "rnn", "AFTERIMAGE_LOG_LEVEL": "DEBUG"})
    given = {worker: made.container(worker).env for worker in WORKERS}
    assert {worker for worker in WORKERS if given[worker].get("AFTERIMAGE_CODE") == "f16"} == {
        "extractor",
        "indexer",
        "searcher",
    }
    assert {worker for worker in WORKERS if "AFTERIMAGE_ENCODER" in given[worker]} == {"extractor", "searcher"}
    assert {worker for worker in WORKERS if given[worker].get("AFTERIMAGE_LOG_LEVEL") == "DEBUG"} == {*WORKERS}


def test_numbers_and_truths_are_written_as_the_workers_read_them() -> None:
    made = rendered("production")
    assert made.container("extractor").env["EXTRACTOR_CACHE_IMAGES"] == "20000000"
    assert made.container("gateway").env["GATEWAY_RATE_PER_S"] == "50.5"
    assert made.container("gateway").env["GATEWAY_THUMBNAILS"] == "true"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"extractor": {"settings": {"EXTRACTOR_BATCH": 8}}}, "'EXTRACTOR_BATCH' not allowed"),
        ({"searcher": {"settings": {"SEARCHER_EFFORT": 0}}}, "minimum: got 0, want 1"),
        ({"indexer": {"settings": {"INDEXER_RETENTION": "a while"}}}, "INDEXER_RETENTION"),
        ({"indexer": {"settings": {"INDEXER_INSTANCE_ID": "me"}}}, "'INDEXER_INSTANCE_ID' not allowed"),
        ({"settings": {"AFTERIMAGE_PRECISION": "rough"}}, "AFTERIMAGE_PRECISION"),
        ({"settings": {"AFTERIMAGE_SEGMENT_STORE": "/x"}}, "'AFTERIMAGE_SEGMENT_STORE' not allowed"),
        ({"gateway": {"replica": 3}}, "'replica' not allowed"),
        ({"redis": {"url": "http://redis:6379"}}, "/redis/url"),
        ({"redis": {"url": "redis://me:hunter2@redis:6379"}}, "redis.url has a user or a password in it"),
        ({"s3": {"env": {"AWS_SECRET_ACCESS_KEY": "hunter2"}}}, "AWS_SECRET_ACCESS_KEY"),
        ({"segmentStore": {"url": "s3://bucket/x", "claim": "segments"}}, "/segmentStore"),
        ({"image": {"tag": "latest"}}, "/image/tag"),
        (
            {"image": {"tag": "0.1.0-cpu"}, "extractor": {"gpu": {"count": 1}}},
            "name the cuda variant in extractor.image",
        ),
        ({"gateway": {"keys": {"secret": ""}}}, "gateway.keys.secret is not set"),
        ({"gateway": {"settings": {"GATEWAY_THUMBNAILS": True}}}, "gateway.thumbnails.secret is not set"),
        ({"monitoring": {"podMonitors": {"enabled": True}}}, "monitoring.podMonitors.gatewayKey.secret is not set"),
        ({"kafka": {"securityProtocol": "SASL_SSL"}}, "kafka.secret is not set"),
        ({"searcher": {"groups": [{"name": "a", "shards": "0-2"}]}}, "none holds shard 3 of topics.partitions=4"),
        (
            {"searcher": {"groups": [{"name": "a", "shards": "0-4"}]}},
            "a holds shard 4, and topics.partitions=4 has none",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_value_that_would_not_do_is_refused_before_anything_is_installed(values: dict[str, Any], said: str) -> None:
    assert said in refusal(**values)


def test_a_password_is_not_said_again_when_it_is_refused() -> None:
    assert "hunter2" not in refusal(redis={"url": "redis://me:hunter2@redis:6379"})


def test_groups_of_searchers_hold_their_shards() -> None:
    made = rendered("shard-groups")
    low, high = (each for each in made.containers() if each.worker == "searcher")
    assert (low.env["SEARCHER_SHARDS"], high.env["SEARCHER_SHARDS"]) == ("0-7", "8-11,12,13-15")
    assert (low.owner["spec"]["replicas"], high.owner["spec"]["replicas"]) == (2, 3)
    assert high.spec["resources"]["limits"]["memory"] == "24Gi"
    assert low.owner["spec"]["selector"] != high.owner["spec"]["selector"]


def test_one_group_of_searchers_holds_all() -> None:
    assert "SEARCHER_SHARDS" not in rendered("default").container("searcher").env


def test_a_searcher_goes_by_the_name_of_its_pod() -> None:
    assert rendered("default").container("searcher").env["SEARCHER_NAME"] == {
        "fieldRef": {"fieldPath": "metadata.name"}
    }


def test_the_gateway_reads_its_keys_from_a_secret_that_may_change() -> None:
    gateway = rendered("default").container("gateway")
    (volume,) = (each for each in gateway.pod["spec"]["volumes"] if each["name"] == "keys")
    (mounted,) = (each for each in gateway.spec["volumeMounts"] if each["name"] == "keys")
    assert gateway.env["GATEWAY_KEYS"] == f"{mounted['mountPath']}/{volume['secret']['items'][0]['path']}"
    assert "subPath" not in mounted
    assert "GATEWAY_OPEN" not in gateway.env


def test_a_gateway_lets_everybody_in_only_where_it_is_told_to() -> None:
    gateway = rendered("trial").container("gateway")
    assert gateway.env["GATEWAY_OPEN"] == "true"
    assert GatewaySettings.model_fields["open"].default is False


def test_a_gateway_without_keys_answers_to_the_names_that_it_is_called_by() -> None:
    made = render("trial", gateway={"ingress": {"enabled": True, "hosts": [{"host": "images.example.org"}]}})
    (service,) = (each["metadata"]["name"] for each in made.of_kind("Service") if "gateway" in each["metadata"]["name"])
    names = made.container("gateway").env["GATEWAY_HOSTNAMES"].split(",")
    assert {service, f"{service}.{NAMESPACE}.svc", "images.example.org"} <= set(names)
    own = render("trial", gateway={"settings": {"GATEWAY_HOSTNAMES": "images.example.org"}})
    assert own.container("gateway").env["GATEWAY_HOSTNAMES"] == "images.example.org"


def test_extractors_are_counted_by_what_waits_for_their_group() -> None:
    (scaled,) = rendered("production").of_kind("ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    topics = Topics("production")
    assert trigger["metadata"]["consumerGroup"] == topics.group("extractor")
    assert trigger["metadata"]["topic"] == topics.uploaded
    assert (
        trigger["metadata"]["bootstrapServers"]
        == rendered("production").container("extractor").env["KAFKA_BOOTSTRAP_SERVERS"]
    )
    assert "authenticationRef" not in trigger
    assert scaled["spec"]["scaleTargetRef"]["name"] == "shop-afterimage-extractor"


def test_keda_shows_kafka_who_it_is_as_the_workers_do() -> None:
    users, certificates = rendered("secured-wires"), rendered("certificates")
    (trigger,) = users.of_kind("ScaledObject")[0]["spec"]["triggers"]
    assert (trigger["metadata"]["tls"], trigger["metadata"]["sasl"]) == ("enable", "scram_sha512")
    (shown,) = users.of_kind("TriggerAuthentication")
    assert trigger["authenticationRef"]["name"] == shown["metadata"]["name"]
    assert {(each["parameter"], each["name"], each["key"]) for each in shown["spec"]["secretTargetRef"]} == {
        ("username", "afterimage-operator", "username"),
        ("password", "afterimage-operator", "password"),
        ("ca", "afterimage-authority", "ca.crt"),
    }
    (shown,) = certificates.of_kind("TriggerAuthentication")
    assert {(each["parameter"], each["name"], each["key"]) for each in shown["spec"]["secretTargetRef"]} == {
        ("ca", "afterimage-operator-tls", "ca.crt"),
        ("cert", "afterimage-operator-tls", "tls.crt"),
        ("key", "afterimage-operator-tls", "tls.key"),
    }


@pytest.mark.parametrize("worker", [*WORKERS, "topics"])
def test_each_worker_shows_its_own_user(worker: str) -> None:
    env = rendered("secured-wires").container(worker).env
    user = "operator" if worker == "topics" else worker
    variables = ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"]
    variables += [] if worker == "topics" else ["REDIS_USERNAME", "REDIS_PASSWORD"]
    assert {env[name]["secretKeyRef"]["name"] for name in variables} == {f"afterimage-{user}"}
    assert env["KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"


@pytest.mark.parametrize("worker", [*WORKERS, "topics"])
def test_each_worker_shows_its_own_certificate(worker: str) -> None:
    container = rendered("certificates").container(worker)
    user = "operator" if worker == "topics" else worker
    volumes = {each["name"]: each for each in container.pod["spec"]["volumes"]}
    for prefix in ("KAFKA",) if worker == "topics" else ("KAFKA", "REDIS"):
        (folder,) = (
            each["mountPath"] for each in container.spec["volumeMounts"] if each["name"] == f"{prefix.lower()}-tls"
        )
        assert volumes[f"{prefix.lower()}-tls"]["secret"]["secretName"] == f"afterimage-{user}-tls"
        files = {name: container.env[f"{prefix}_SSL_{name}"] for name in ("CA", "CERTIFICATE", "KEY")}
        assert files == {"CA": f"{folder}/ca.crt", "CERTIFICATE": f"{folder}/tls.crt", "KEY": f"{folder}/tls.key"}


def test_who_is_scaled_by_another_says_no_replicas() -> None:
    for each in rendered("production").containers():
        scaled = each.worker in {"extractor", "searcher", "gateway"}
        assert ("replicas" in each.owner["spec"]) is (each.worker == "indexer"), scaled
    targets = {
        each["spec"]["scaleTargetRef"]["name"] for each in rendered("production").of_kind("HorizontalPodAutoscaler")
    }
    assert targets == {"shop-afterimage-searcher-all", "shop-afterimage-gateway"}


def test_every_value_has_a_default_and_every_default_is_described() -> None:
    """But for what stands in the maps and lists of one's own."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    differing = list(differences(load_yaml(CHART / "values.yaml"), schema, schema["definitions"], ()))
    assert differing == []


def differences(
    values: dict[str, Any], schema: dict[str, Any], definitions: dict[str, Any], path: tuple[str, ...]
) -> Iterator[str]:
    described = schema["properties"].keys() - {"global"}  # which is what Helm gives to every chart
    yield from (".".join((*path, name)) for name in values.keys() ^ described)
    for name, value in values.items():
        inner = schema["properties"].get(name, {})
        inner = definitions[inner["$ref"].rsplit("/", 1)[1]] if "$ref" in inner else inner
        if value and isinstance(value, dict) and inner.get("properties") and "ettings" not in name:
            yield from differences(value, inner, definitions, (*path, name))
