"""The chart as a whole: Helm takes it, Kubernetes would take what comes out, and linters of both find nothing."""

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from services.cli.settings import CliSettings
from tests.unit.deploy.chart.rendering import (
    CHART,
    NAMESPACE,
    RELEASE,
    SCENARIOS,
    Rendered,
    every_scenario,
    helm,
    render,
    rendered,
    tool,
    values_of,
)
from tests.unit.deploy.files import ROOT

SCHEMAS = Path(__file__).with_name("schemas")
OLDEST, NEWEST = "1.30", "1.37"

# Checks of kube-score that ask for what is done otherwise here.
NOT_HELD_TO = (
    "container-image-pull-policy",  # images are pinned, and start while their registry is away
    "container-ephemeral-storage-request-and-limit",  # temporary folders have sizes, which bound them
    "deployment-has-host-podantiaffinity",  # pods keep apart by topologySpreadConstraints
    "statefulset-has-host-podantiaffinity",
)


def refused(thing: dict[str, Any], version: str) -> str | None:
    """What a strict reader says of an object: Kubernetes's own schemas, or the operators' for their kinds."""
    schema = SCHEMAS / f"{thing['kind']}.json"
    try:
        if schema.exists():
            jsonschema.validate(thing, json.loads(schema.read_text(encoding="utf-8")))
        else:
            kubernetes_validate.validate(thing, version, strict=True)
    except (jsonschema.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return f"{thing['kind']} {thing['metadata']['name']}: {error.message}"
    return None


@pytest.mark.parametrize(("scenario", "version"), [*((each, NEWEST) for each in SCENARIOS), ("production", OLDEST)])
def test_kubernetes_and_the_operators_know_every_field(scenario: str, version: str) -> None:
    assert [said for each in rendered(scenario) if (said := refused(each, version))] == []


def test_the_oldest_kubernetes_that_is_checked_is_the_oldest_that_the_chart_takes() -> None:
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"] == f">={OLDEST}.0-0"


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Deployment", ("spec", "template", "spec")),
        ("StatefulSet", ("spec",)),
        ("NetworkPolicy", ("spec", "egress", 0)),
        ("ScaledObject", ("spec", "triggers", 0)),
        ("TriggerAuthentication", ("spec", "secretTargetRef", 0)),
        ("PodMonitor", ("spec", "podMetricsEndpoints", 0)),
        ("PrometheusRule", ("spec", "groups", 0)),
    ],
)
def test_a_field_that_there_is_not_would_be_found(kind: str, path: tuple[str | int, ...]) -> None:
    made = [*render("production"), *render("secured-wires")]
    thing, inside = next(
        (each, found) for each in made if each["kind"] == kind and (found := at(each, path)) is not None
    )
    inside["aFieldThatThereIsNot"] = "x"
    assert "aFieldThatThereIsNot" in (refused(thing, NEWEST) or "")


def at(thing: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any] | None:
    """What stands there, if anything."""
    inside: Any = thing
    for step in path:
        try:
            inside = inside[step]
        except KeyError:
            return None
    found: dict[str, Any] = inside
    return found


@every_scenario
def test_helm_lints_it_strictly(scenario: str) -> None:
    done = helm("lint", "--strict", str(CHART), *values_of(scenario))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("scenario", sorted({*SCENARIOS} - {"trial"}))  # which leaves out what protects the others
def test_kube_score_finds_nothing(scenario: str) -> None:
    options = [f"--ignore-test={name}" for name in NOT_HELD_TO]
    done = subprocess.run(
        [tool("kube-score", "1.20.0"), "score", "--ignore-container-cpu-limit", *options, "--output-format=ci", "-"],
        input="---\n".join(map(yaml.safe_dump, rendered(scenario))),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = [line for line in done.stdout.splitlines() if line.startswith(("[CRITICAL]", "[WARNING]"))]
    assert (done.returncode, found) == (0, []), done.stderr
    assert "[OK]" in done.stdout


def test_an_archive_of_the_chart_has_the_rules_and_the_dashboards_in_it(tmp_path: Path) -> None:
    """Which are links in the checkout, and would lead nowhere elsewhere."""
    packed = helm("package", str(CHART), "--destination", str(tmp_path))
    assert packed.returncode == 0, packed.stderr
    (archive,) = tmp_path.glob("*.tgz")
    with tarfile.open(archive) as files:
        assert all(each.isfile() for each in files)
        assert not any("/examples/" in each.name for each in files)
    options = ("--namespace", NAMESPACE, *values_of("production"))
    from_archive, from_folder = (helm("template", RELEASE, str(each), *options) for each in (archive, CHART))
    assert from_archive.returncode == 0, from_archive.stderr
    assert from_archive.stdout == from_folder.stdout


def test_the_notes_say_what_is_missing() -> None:
    notes = helm("install", RELEASE, str(CHART), "--dry-run=client").stdout.partition("NOTES:")[2]
    assert "create secret generic afterimage-gateway-keys --from-file=keys.json" in notes
    assert "There is no store of segments" in notes
    assert "The gateway asks for no keys" not in notes
    trial = helm("install", RELEASE, str(CHART), "--dry-run=client", *values_of("trial")).stdout.partition("NOTES:")[2]
    assert "The gateway asks for no keys" in trial
    assert "There is no store of segments" not in trial


@every_scenario
def test_no_two_objects_have_one_name(scenario: str) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in rendered(scenario)]
    assert sorted(names) == sorted(set(names))


@every_scenario
def test_everything_is_in_the_namespace_of_the_release(scenario: str) -> None:
    assert {each["metadata"]["namespace"] for each in rendered(scenario)} == {"images"}


def test_names_stay_within_what_kubernetes_allows() -> None:
    long = render("shard-groups", fullnameOverride="a" * 60, searcher={"groups": [{"name": "b" * 12}]})
    assert max(len(each["metadata"]["name"]) for each in long) <= 63


def test_the_workers_are_of_the_version_that_is_here() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]}"' in project


def test_the_topics_are_there_before_the_workers() -> None:
    (job,) = rendered("production").of_kind("Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    container = rendered("production").container("topics")
    assert container.spec["command"] == ["afterimage", "topics", "--replication", "3"]
    assert container.env["AFTERIMAGE_PARTITIONS"] == "16"
    default = rendered("default").container("topics").env["AFTERIMAGE_PARTITIONS"]
    assert default == str(CliSettings.model_fields["partitions"].default)


def test_an_example_has_every_part_of_the_chart() -> None:
    everything: set[str] = set()
    for scenario in SCENARIOS:
        everything |= {each["kind"] for each in Rendered(rendered(scenario))}
    assert everything == {
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Job",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "PodMonitor",
        "PrometheusRule",
        "ScaledObject",
        "Service",
        "ServiceAccount",
        "StatefulSet",
        "TriggerAuthentication",
    }
