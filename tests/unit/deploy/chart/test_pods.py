"""The chart's pods: restricted, and in agreement with how the workers run and stop."""

import re
from typing import Any

import pytest

from shared.runtime.server import GRACE_S
from tests.unit.deploy.chart.rendering import Container, every_scenario, render, rendered
from tests.unit.deploy.chart.worker_settings import settings_of
from tests.unit.deploy.files import DOCKERFILE, WORKERS

LAST_COMMIT_S = 10  # docs/deployment.md, Time to stop

every_worker = pytest.mark.parametrize("worker", WORKERS)


def containers(scenario: str) -> list[Container]:
    found = rendered(scenario).containers()
    assert {each.worker for each in found} == {*WORKERS, "topics"}
    return found


def workers(scenario: str) -> list[Container]:
    return [each for each in containers(scenario) if each.worker != "topics"]


@every_scenario
def test_a_pod_is_restricted_as_the_pod_security_standards_have_it(scenario: str) -> None:
    for each in containers(scenario):
        pod, own = each.pod["spec"], each.spec["securityContext"]
        assert pod["securityContext"]["runAsNonRoot"] is own["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert own["allowPrivilegeEscalation"] is own["privileged"] is False
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert pod.keys() & {"hostNetwork", "hostPID", "hostIPC", "hostAliases", "initContainers"} == set()
        kinds = {kind for volume in pod["volumes"] for kind in volume.keys() - {"name"}}
        assert kinds <= {"emptyDir", "secret", "persistentVolumeClaim", "ephemeral"}


@every_scenario
def test_its_root_file_system_is_read_only_and_tmp_is_not(scenario: str) -> None:
    for each in containers(scenario):
        assert each.spec["securityContext"]["readOnlyRootFilesystem"] is True
        assert {"name": "tmp", "mountPath": "/tmp"} in each.spec["volumeMounts"]  # noqa: S108 - a folder of its own
        folders = [volume["emptyDir"] for volume in each.pod["spec"]["volumes"] if "emptyDir" in volume]
        assert all("sizeLimit" in folder for folder in folders)


@every_scenario
def test_it_runs_as_the_user_of_the_image(scenario: str) -> None:
    user, group = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)[0]
    for each in containers(scenario):
        security = each.pod["spec"]["securityContext"]
        assert (security["runAsUser"], security["runAsGroup"], security["fsGroup"]) == (
            int(user),
            int(group),
            int(group),
        )


@every_scenario
def test_it_has_no_access_to_kubernetes_and_no_variables_made_of_services(scenario: str) -> None:
    for each in containers(scenario):
        assert each.pod["spec"]["automountServiceAccountToken"] is False
        assert each.pod["spec"]["enableServiceLinks"] is False


@every_scenario
def test_its_image_is_pinned(scenario: str) -> None:
    for each in containers(scenario):
        assert re.fullmatch(r"[\w./-]+(:\d+\.\d+\.\d+-(cpu|cuda)|@sha256:[0-9a-f]{64})", each.spec["image"])


@every_scenario
def test_it_is_given_the_memory_that_it_may_take_and_a_share_of_cores(scenario: str) -> None:
    for each in containers(scenario):
        resources = each.spec["resources"]
        assert resources["requests"]["memory"] == resources["limits"]["memory"]
        assert "cpu" in resources["requests"]


@every_scenario
def test_every_volume_is_mounted_and_every_mount_has_a_volume(scenario: str) -> None:
    for each in containers(scenario):
        claims = [claim["metadata"]["name"] for claim in each.owner["spec"].get("volumeClaimTemplates", [])]
        volumes = [volume["name"] for volume in each.pod["spec"]["volumes"]] + claims
        mounts = [mount["name"] for mount in each.spec["volumeMounts"]]
        assert sorted(volumes) == sorted(mounts)
        assert len(set(volumes)) == len(volumes)


@every_scenario
def test_probes_ask_the_worker_where_it_listens(scenario: str) -> None:
    for each in workers(scenario):
        port = settings_of(each.worker).model_fields["http_port"].default
        assert each.spec["ports"] == [{"name": "http", "containerPort": port}]
        assert each.env[f"{each.worker.upper()}_HTTP_HOST"] == "0.0.0.0"  # noqa: S104 - a pod's own network
        asked = {kind: each.spec[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert asked == {
            "startup": {"path": "/livez", "port": "http"},
            "liveness": {"path": "/livez", "port": "http"},
            "readiness": {"path": "/readyz", "port": "http"},
        }


@every_scenario
def test_it_runs_the_worker_that_its_labels_say(scenario: str) -> None:
    for each in workers(scenario):
        assert each.spec["command"] == ["python", "-m", f"services.{each.worker}"]


@every_scenario
def test_it_has_more_time_to_stop_than_it_takes(scenario: str) -> None:
    for each in workers(scenario):
        drain_s = float(each.env.get(f"{each.worker.upper()}_DRAIN_S", 0))
        waits_s = each.spec.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        grace_s = each.pod["spec"]["terminationGracePeriodSeconds"]
        assert grace_s >= waits_s + GRACE_S + drain_s + LAST_COMMIT_S


def test_a_longer_drain_has_it_wait_longer() -> None:
    made = render(extractor={"drainSeconds": 300})
    extractor = made.container("extractor")
    assert extractor.env["EXTRACTOR_DRAIN_S"] == "300"
    assert extractor.pod["spec"]["terminationGracePeriodSeconds"] == 300 + GRACE_S + LAST_COMMIT_S


@pytest.mark.parametrize("worker", ["extractor", "searcher"])
def test_it_drains_for_as_long_as_the_worker_would_by_itself(worker: str) -> None:
    default = settings_of(worker).model_fields["drain_s"].default
    assert float(rendered("default").container(worker).env[f"{worker.upper()}_DRAIN_S"]) == default


def test_a_gateway_is_asked_no_more_before_it_stops() -> None:
    assert rendered("default").container("gateway").spec["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}


@every_scenario
def test_python_is_not_process_1(scenario: str) -> None:
    """It would ignore SIGTERM until its handlers are set up; compose has `init: true` for it."""
    assert all(each.pod["spec"]["shareProcessNamespace"] is True for each in containers(scenario))


@every_scenario
def test_indexers_are_static_members_and_others_are_not(scenario: str) -> None:
    """A name must come back with the pod, and never be two pods' at one time: a StatefulSet's alone is such a one."""
    for each in workers(scenario):
        instance_id = each.env.get(f"{each.worker.upper()}_INSTANCE_ID")
        if each.worker == "indexer":
            assert each.owner["kind"] == "StatefulSet"
            assert instance_id == {"fieldRef": {"fieldPath": "metadata.name"}}
        else:
            assert each.owner["kind"] == "Deployment"
            assert instance_id is None


def test_a_searcher_is_replaced_before_it_goes_and_an_extractor_after() -> None:
    made = rendered("default")
    assert made.container("searcher").owner["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert made.container("gateway").owner["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert made.container("extractor").owner["spec"]["strategy"]["rollingUpdate"] == {
        "maxSurge": 0,
        "maxUnavailable": 1,
    }


@pytest.mark.parametrize("worker", ["extractor", "searcher"])
def test_a_worker_computes_on_as_many_threads_as_it_asks_cores_for(worker: str) -> None:
    variable = f"{worker.upper()}_THREADS"
    assert rendered("default").container(worker).env[variable] == {
        "resourceFieldRef": {"resource": "requests.cpu", "divisor": "1"}
    }
    said = render(**{worker: {"settings": {variable: 3}}})
    assert said.container(worker).env[variable] == "3"


def test_a_worker_with_a_gpu_runs_the_cuda_variant_on_it() -> None:
    made = rendered("gpu")
    extractor, searcher = made.container("extractor"), made.container("searcher")
    assert extractor.spec["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert extractor.spec["image"].endswith(":0.1.0-cuda")
    assert extractor.env["AFTERIMAGE_DEVICE"] == "cuda"
    assert extractor.pod["spec"]["runtimeClassName"] == "nvidia"
    assert "nvidia.com/gpu" not in searcher.spec["resources"]["limits"]
    assert searcher.spec["image"].endswith(":0.1.0-cpu")
    assert "AFTERIMAGE_DEVICE" not in searcher.env


def test_a_worker_with_a_gpu_runs_the_cuda_variant_by_itself() -> None:
    made = render(searcher={"gpu": {"count": 1}})
    images = {each.worker: each.spec["image"] for each in made.containers()}
    assert {worker for worker, image in images.items() if image.endswith("-cuda")} == {"searcher"}


def test_one_worker_may_have_a_new_version_before_the_others() -> None:
    made = render("production", searcher={"image": {"tag": "0.2.0-cpu"}})
    images = {
        each.worker: each.spec["image"].removeprefix("registry.example.org/afterimage") for each in made.containers()
    }
    assert images.pop("searcher") == ":0.2.0-cpu"
    assert set(images.values()) == {f"@sha256:{'0' * 64}"}


def test_segments_lie_on_a_disk_of_their_own_where_there_is_a_store() -> None:
    made = rendered("production")
    indexer, searcher = made.container("indexer"), made.container("searcher")
    (claim,) = indexer.owner["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "100Gi"
    assert mount(indexer, claim["metadata"]["name"]) == indexer.env["INDEXER_SEGMENT_FOLDER"]
    (volume,) = (each for each in searcher.pod["spec"]["volumes"] if "ephemeral" in each)
    assert mount(searcher, volume["name"]) == searcher.env["SEARCHER_SEGMENT_FOLDER"]
    assert indexer.env["AFTERIMAGE_SEGMENT_STORE"] == searcher.env["AFTERIMAGE_SEGMENT_STORE"]


def test_a_store_on_a_volume_is_mounted_where_the_workers_look_for_it() -> None:
    for worker in ("indexer", "searcher"):
        each = rendered("trial").container(worker)
        assert mount(each, "store") == each.env["AFTERIMAGE_SEGMENT_STORE"]


def test_without_a_store_there_are_no_disks() -> None:
    for worker in ("indexer", "searcher"):
        each = rendered("default").container(worker)
        assert "volumeClaimTemplates" not in each.owner["spec"]
        assert [volume["name"] for volume in each.pod["spec"]["volumes"]] == ["tmp"]
        assert "AFTERIMAGE_SEGMENT_STORE" not in each.env


def test_pictures_and_weights_are_mounted_read_only_where_they_are_read() -> None:
    made = rendered("production")
    for worker, volumes in {
        "extractor": {"images", "models"},
        "indexer": {"models"},
        "searcher": {"images", "models"},
        "gateway": {"images"},
    }.items():
        mounts = [each for each in made.container(worker).spec["volumeMounts"] if each["name"] in {"images", "models"}]
        assert {each["name"] for each in mounts} == volumes
        assert all(each["readOnly"] for each in mounts)
        assert (made.container(worker).env.get("AFTERIMAGE_FILE_ROOTS") == "/images") is ("images" in volumes)


def mount(container: Container, volume: str) -> str:
    (found,) = (each["mountPath"] for each in container.spec["volumeMounts"] if each["name"] == volume)
    return str(found)


@every_scenario
def test_pods_of_a_kind_keep_apart(scenario: str) -> None:
    for each in workers(scenario):
        for constraint in each.pod["spec"]["topologySpreadConstraints"]:
            assert selects(constraint["labelSelector"], each.labels)


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    wanted: dict[str, str] = selector["matchLabels"]
    return wanted.items() <= labels.items()
