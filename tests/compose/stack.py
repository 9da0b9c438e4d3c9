"""The services of the real docker-compose.yml, started in the order that it asks for."""

import json
import sysconfig
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from tests.compose.diary import Diary
from tests.compose.engine import Engine, EngineFailedError
from tests.unit.deploy.files import COMPOSE, services

PROJECT = "afterimage-test"
POLL_S = 0.25


class NotHealthyError(Exception):
    """A container was not in time what it should have been."""


def podman_compose(*profiles: str) -> list[str]:
    """The command that what it shall do goes after."""
    chosen = [option for profile in profiles for option in ("--profile", profile)]
    return [str(Path(sysconfig.get_path("scripts"), "podman-compose")), "-f", str(COMPOSE), "-p", PROJECT, *chosen]


def stages(names: Collection[str]) -> list[list[str]]:
    """The services in the order of their start: each after all that it waits for."""
    waits = {name: set(services()[name].get("depends_on", {})) & set(names) for name in names}
    order: list[list[str]] = []
    while waits:
        free = sorted(name for name, others in waits.items() if not others & waits.keys())
        order.append(free)
        for name in free:
            del waits[name]
    return order


class Stack:
    """One project. Whether a container is healthy, its own health check says, which is run here again and again."""

    def __init__(self, engine: Engine, diary: Diary) -> None:
        self._engine = engine
        self._diary = diary

    def up(self, names: Collection[str], *profiles: str) -> None:
        """Start services, and return when all are healthy, or have ended well where they end."""
        for stage in stages(names):
            with self._diary.step(f"start {', '.join(stage)}"):
                self._compose("up", "--detach", "--no-build", "--no-deps", *stage, profiles=profiles)
                for name in stage:
                    for container in self.containers(name):
                        self.wait_for(container)

    def scale(self, name: str, count: int, *, env: Mapping[str, str] | None = None) -> None:
        """Those that run go on, unless `env` says something else of them than before."""
        self._compose("up", "--detach", "--no-build", "--no-deps", "--scale", f"{name}={count}", name, env=env)
        for container in self.containers(name):
            self.wait_for(container)

    def down(self, *options: str) -> None:
        """Of all profiles, and with the replicas that `scale` added."""
        self._compose("down", "--remove-orphans", *options, profiles=("gpu", "minio"))

    def containers(self, service: str | None = None) -> list[str]:
        """The names of those that run or have ended."""
        labels = {"com.docker.compose.project": PROJECT, **({"com.docker.compose.service": service} if service else {})}
        filters = [f"--filter=label={label}={value}" for label, value in labels.items()]
        return sorted(each["Names"][0] for each in json.loads(self._engine("ps", "--all", "--format=json", *filters)))

    def container(self, service: str) -> str:
        return self.containers(service)[0]

    def exec(self, service: str, *command: str, user: str | None = None, timeout_s: float = 120) -> str:
        options = ["--user", user] if user else []
        return self._engine("exec", *options, self.container(service), *command, timeout_s=timeout_s)

    def wait_for(self, container: str, *, timeout_s: float = 300) -> None:
        """Until it is healthy, or has ended well. Raises NotHealthyError."""
        deadline = time.monotonic() + timeout_s
        ends = services()[self.service_of(container)]["restart"] == "no"
        while time.monotonic() < deadline:
            state = self._engine.inspect(container)["State"]
            if ends and state["Status"] == "exited":
                if state["ExitCode"] == 0:
                    return
                break
            if not ends and state["Running"] and self._engine.check(container):
                return
            time.sleep(POLL_S)
        raise NotHealthyError(f"{container} is {state['Status']} with exit status {state['ExitCode']}")

    def tails(self) -> str:
        """The end of every container's log."""
        try:
            return "\n".join(f"--- {name}\n{self._engine.tail(name)}" for name in self.containers())
        except EngineFailedError as error:
            return f"(no logs: {error})"

    def service_of(self, container: str) -> str:
        return str(self._engine.inspect(container)["Config"]["Labels"]["com.docker.compose.service"])

    def _compose(self, *arguments: str, profiles: Collection[str] = (), env: Mapping[str, str] | None = None) -> None:
        self._engine.run([*podman_compose(*profiles), *arguments], timeout_s=600, env=env)
