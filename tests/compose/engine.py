"""Podman with storage of its own, so that it neither sees nor leaves anything among this machine's other containers."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# crun refuses cgroups of both versions at once, which some machines have; and there may be no systemd to ask for any.
_CONTAINERS = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]

[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "{run}/libpod"

[network]
network_backend = "netavark"
network_config_dir = "{run}/networks"
"""
_STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{kept}"
runroot = "{run}/storage"
"""
_TAIL_LINES = 60


class EngineFailedError(Exception):
    """A command failed; the text has it, and what it said."""


class Engine:
    """Runs `podman`. kept: where its images and volumes are; beside it, its configuration."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = folder / "storage"
        self._run = Path("/run") / f"afterimage-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        configuration = {"CONTAINERS_CONF": _CONTAINERS, "CONTAINERS_STORAGE_CONF": _STORAGE}
        for variable, text in configuration.items():
            (folder / variable.lower()).write_text(text.format(kept=self._kept, run=self._run), encoding="utf-8")
        self.environment = {
            **os.environ,
            **{variable: str(folder / variable.lower()) for variable in configuration},
            # Podman asks systemd to run the health checks, and fails where there is none: `check` runs them instead.
            "DISABLE_HC_SYSTEMD": "true",
        }

    def __call__(
        self, *arguments: str, timeout_s: float = 120, shown: bool = False, env: Mapping[str, str] | None = None
    ) -> str:
        """What `podman` wrote to its standard output. shown: on the terminal instead. Raises EngineFailedError."""
        return self.run(["podman", *arguments], timeout_s=timeout_s, shown=shown, env=env)

    def run(
        self, command: list[str], *, timeout_s: float = 120, shown: bool = False, env: Mapping[str, str] | None = None
    ) -> str:
        """The same for what calls `podman` itself."""
        done = subprocess.run(
            command,
            cwd=self._folder,  # where Podman's monitor leaves a file when a container had too little memory
            env={**self.environment, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=None if shown else subprocess.PIPE,
            stderr=None if shown else subprocess.PIPE,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if done.returncode != 0:
            said = "" if shown else f":\n{done.stdout}{done.stderr}"
            raise EngineFailedError(f"{' '.join(command)} ended with {done.returncode}{said}")
        return done.stdout or ""

    def has(self, image: str) -> bool:
        return bool(self("images", "--quiet", image).strip())

    def inspect(self, container: str) -> dict[str, Any]:
        [found] = json.loads(self("inspect", "--type", "container", container))
        return dict(found)

    def check(self, container: str) -> bool:
        """Run its health check: does it pass?"""
        try:
            self("healthcheck", "run", container)
        except EngineFailedError:
            return False
        return True

    def crash(self, container: str) -> int:
        """`kill -9` its first process, as the kernel does when memory is short; returns the process.

        `podman kill` counts as a wish: what is killed so is not started again.
        """
        process = int(self.inspect(container)["State"]["Pid"])
        os.kill(process, signal.SIGKILL)
        return process

    def tail(self, container: str) -> str:
        """The end of what it wrote, both streams."""
        command = ["podman", "logs", "--tail", str(_TAIL_LINES), container]
        done = subprocess.run(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        return done.stdout

    def clear(self) -> None:
        """Remove all containers, volumes and networks."""
        self("rm", "--all", "--force", "--time", "1")
        self("volume", "prune", "--force")
        self("network", "prune", "--force")

    def forget(self) -> None:
        """Remove all that there is, and the folders it was in."""
        self.clear()
        self("rmi", "--all", "--force", timeout_s=600)
        shutil.rmtree(self._kept)
        shutil.rmtree(self._run)
