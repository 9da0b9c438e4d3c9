"""The compose file: well-formed, hardened, and in agreement with the workers' own settings."""

import importlib
import re
import subprocess
import sys
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from services.cli.settings import CliSettings
from shared.events.topics import Topics
from shared.runtime.settings import variable_name
from tests.unit.deploy.files import COMPOSE, KAFKA_POM, ROOT, WORKERS, services

SERVICES = services()
every_service = pytest.mark.parametrize("name", SERVICES)
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)
ENDING = sorted(name for name, service in SERVICES.items() if service["restart"] == "no")
every_worker = pytest.mark.parametrize("name", WORKERS)


def settings_of(service: str) -> type[BaseSettings]:
    if service == "topics":
        return CliSettings
    worker = service.removesuffix("-gpu")
    module = importlib.import_module(f"services.{worker}.settings")
    found: type[BaseSettings] = getattr(module, f"{worker.capitalize()}Settings")
    return found


def bind_mounts(service: dict[str, Any]) -> list[str]:
    volumes = [mount["source"] if isinstance(mount, dict) else mount for mount in service.get("volumes", [])]
    return [mount.split(":")[0] for mount in volumes if mount.startswith(".")]


def test_it_follows_the_compose_specification() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(check, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@every_service
def test_its_image_is_pinned_or_built_here(name: str) -> None:
    image, tag = SERVICES[name]["image"].split(":")
    assert "build" in SERVICES[name] or re.match(r"v?\d+\.\d+\.\d+|RELEASE\.\d{4}(-\d{2}){2}T", tag), image


def test_kafka_is_the_version_that_the_tests_run_on() -> None:
    _, version = SERVICES["kafka"]["image"].split(":")
    assert f"<version>{version}</version>" in KAFKA_POM.read_text(encoding="utf-8")


@every_service
def test_nothing_is_published_beyond_this_machine(name: str) -> None:
    assert [port for port in SERVICES[name].get("ports", []) if not port.startswith("127.0.0.1:")] == []


@every_service
def test_it_gains_no_rights_and_has_limits(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"].keys() >= {"memory", "pids"}


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"kafka"}))
def test_its_root_file_system_is_read_only(name: str) -> None:
    assert SERVICES[name]["read_only"] is True


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - set(ENDING)))
def test_it_says_when_it_is_healthy(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


@every_service
def test_what_it_waits_for_can_come_true(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert wait["condition"] == "service_completed_successfully"
            assert SERVICES[other]["restart"] == "no"


@every_service
def test_the_files_that_it_mounts_are_in_the_checkout(name: str) -> None:
    assert [path for path in bind_mounts(SERVICES[name]) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", OURS)
def test_our_code_knows_every_variable_that_is_set_for_it(name: str) -> None:
    known = {variable_name(settings_of(name), field) for field in settings_of(name).model_fields}
    assert {variable for variable in SERVICES[name]["environment"] if not variable.startswith("AWS_")} - known == set()


@every_worker
def test_a_worker_listens_where_its_health_check_and_prometheus_ask(name: str) -> None:
    service = SERVICES[name]
    assert service["command"] == ["python", "-m", f"services.{name}"]
    assert service["environment"][f"{name.upper()}_HTTP_HOST"] == "0.0.0.0"  # noqa: S104 - a container's own network
    assert service["healthcheck"]["test"][-1] == str(settings_of(name).model_fields["http_port"].default)


def test_queries_are_shared_by_two_searchers() -> None:
    """podman-compose counts replicas only where the mode is said, which Docker takes for granted."""
    deploy = SERVICES["searcher"]["deploy"]
    assert (deploy["mode"], deploy["replicas"]) == ("replicated", 2)


def test_without_a_profile_nothing_needs_a_gpu_or_runs_a_bucket() -> None:
    of_profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert of_profiles == {
        "extractor-gpu": ["gpu"],
        "searcher-gpu": ["gpu"],
        "minio": ["minio"],
        "bucket": ["minio"],
    }


@pytest.mark.parametrize("name", ["extractor", "searcher"])
def test_on_a_gpu_a_worker_differs_in_what_the_gpu_needs_alone(name: str) -> None:
    on_cpu, on_gpu = SERVICES[name], SERVICES[f"{name}-gpu"]
    differ = {key for key in on_cpu.keys() | on_gpu.keys() if on_cpu.get(key) != on_gpu.get(key)}
    assert differ == {"image", "build", "profiles", "environment", "networks", "deploy"}
    assert on_gpu["environment"].items() - on_cpu["environment"].items() <= {
        ("AFTERIMAGE_DEVICE", "cuda"),
        ("EXTRACTOR_INSTANCE_ID", "extractor-gpu"),  # else two extractors of one id push each other out
    }
    assert on_gpu["build"]["args"] == {"DEVICE": "cuda"}
    assert on_gpu["networks"] == {"default": {"aliases": [name]}}  # where Prometheus looks
    [device] = on_gpu["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]


def test_the_bucket_is_announced_where_the_extractor_reads() -> None:
    announces = SERVICES["minio"]["environment"]
    assert announces["MINIO_NOTIFY_KAFKA_TOPIC_AFTERIMAGE"] == Topics().uploaded
    assert announces["MINIO_NOTIFY_KAFKA_BROKERS_AFTERIMAGE"] == environment("extractor")["KAFKA_BOOTSTRAP_SERVERS"]


def test_the_workers_read_the_bucket_with_rights_of_their_own() -> None:
    made = environment("bucket")
    for worker in ("extractor", "searcher"):
        reads = environment(worker)
        assert reads["AWS_SECRET_ACCESS_KEY"] == made["WORKERS_SECRET"] != made["MINIO_ROOT_PASSWORD"]
        assert f"--user {reads['AWS_ACCESS_KEY_ID']}" in SERVICES["bucket"]["command"][0]


def environment(service: str) -> dict[str, str]:
    found: dict[str, str] = SERVICES[service]["environment"]
    return found
