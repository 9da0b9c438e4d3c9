"""What Helm makes of the chart: without a cluster, for one set of values or another."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.cli.stack.cache import user_cache
from tests.unit.deploy.files import ROOT

CHART = ROOT / "deploy" / "helm" / "afterimage"
EXAMPLES = CHART / "examples"
RELEASE = "shop"
NAMESPACE = "images"

SCENARIOS = ("default", *sorted(path.stem for path in EXAMPLES.glob("*.yaml")))
"""The values that come with the chart, and those of each example."""

POD_KINDS = ("Deployment", "StatefulSet", "Job")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The one container of a pod, whose kind is `worker`: one of the four, or topics."""

    worker: str
    owner: Mapping[str, Any]
    pod: Mapping[str, Any]

    @property
    def labels(self) -> dict[str, str]:
        found: dict[str, str] = self.pod["metadata"]["labels"]
        return found

    @property
    def spec(self) -> dict[str, Any]:
        (found,) = self.pod["spec"]["containers"]
        return dict(found)

    @property
    def env(self) -> dict[str, Any]:
        """By variable, its value, or else where its value comes from."""
        return {each["name"]: each.get("value", each.get("valueFrom")) for each in self.spec["env"]}


class Rendered(list[dict[str, Any]]):
    """All objects that Helm would send to Kubernetes."""

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self if each["kind"] == kind]

    def containers(self) -> list[Container]:
        return [
            Container(
                worker=each["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"],
                owner=each,
                pod=each["spec"]["template"],
            )
            for kind in POD_KINDS
            for each in self.of_kind(kind)
        ]

    def container(self, worker: str) -> Container:
        (found,) = (each for each in self.containers() if each.worker == worker)
        return found


def tool(name: str, version: str) -> Path:
    """A program that tests/tools/kubernetes.sh installs, else the one on PATH. Skips the test where there is none."""
    installed = user_cache() / "bin" / f"{name}-{version}"
    found = installed if installed.exists() else shutil.which(name)
    if found is None:
        without = f"{name} is not here: run `make ci-tools`"
        if os.environ.get("CI"):
            pytest.fail(without)
        pytest.skip(without)
    return Path(found)


def helm(*arguments: str, given: Mapping[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """Run Helm on the chart. given: values, which come last."""
    command = [tool("helm", "4.3.1"), *arguments, *(("--values", "-") if given else ())]
    return subprocess.run(
        command, input=json.dumps(given) if given else "", capture_output=True, text=True, timeout=60, check=False
    )


def values_of(scenario: str) -> tuple[str, ...]:
    return () if scenario == "default" else ("--values", str(EXAMPLES / f"{scenario}.yaml"))


def render(scenario: str = "default", /, **given: Any) -> Rendered:
    done = helm("template", RELEASE, str(CHART), "--namespace", NAMESPACE, *values_of(scenario), given=given)
    assert done.returncode == 0, done.stderr
    return Rendered(_objects(done.stdout))


rendered = cache(render)
"""The same for a scenario, once. What it returns is not to be changed."""


def refusal(**given: Any) -> str:
    """What Helm says, and it must refuse these values."""
    done = helm("template", RELEASE, str(CHART), given=given)
    assert done.returncode != 0, "it takes them"
    return done.stderr


def _objects(text: str) -> Iterator[dict[str, Any]]:
    yield from (each for each in yaml.safe_load_all(text) if each)


every_scenario = pytest.mark.parametrize("scenario", SCENARIOS)
