"""The workers as they run in production: processes, with an environment and a port for health and metrics."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.cli.stack.config import WorkerSpec
from services.cli.stack.ports import LOOPBACK, free_port
from services.cli.stack.probes import Probe, http_probe
from tests.harness.daemon import Daemon
from tests.harness.warm import WarmProcess

QUICK_TO_START = {"AFTERIMAGE_BACKEND": "torch"}
"""The environment of workers in tests that encode few images: to convert the network for OpenVINO takes seconds."""


class WorkerProcess(Daemon):
    """`python -m services.<worker>`. `stop` is a rolling update's SIGTERM, `kill` is a crash."""

    start_timeout_s = 120.0

    def __init__(
        self,
        worker: str,
        *,
        bootstrap_servers: str,
        redis_url: str,
        folder: Path,
        env: Mapping[str, str] | None = None,
        name: str | None = None,
        prefix: Sequence[str] = (),
        warm: bool = True,
    ) -> None:
        """worker: the module below `services`. name: tells replicas of one worker apart. folder: for its log.

        prefix: a command that runs another, and becomes it. warm: forked from a process that has imported what it
        needs, so that its memory is shared in part.
        """
        spec = WorkerSpec(name=name or worker, module=f"services.{worker}", http_port=free_port())
        super().__init__(
            spec.name,
            log=folder / f"{spec.name}.log",
            env={
                "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
                "REDIS_URL": redis_url,
                "PYTHONUNBUFFERED": "1",
                spec.http_port_variable: str(spec.http_port),
                **(env or {}),
            },
        )
        self._spec = spec
        self._prefix = prefix
        self._warm = warm and not prefix

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._spec.http_port}"

    @property
    def resident_bytes(self) -> int:
        """The memory that it holds now (Linux)."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(kilobytes) * 1024

    def command(self) -> Sequence[str]:
        return [*self._prefix, sys.executable, "-m", self._spec.module]

    def probe(self) -> Probe:
        return http_probe(self._spec.http_port)

    def _launch(self, env: Mapping[str, str]) -> subprocess.Popen[bytes] | WarmProcess:
        if self._warm:
            return WarmProcess(self._spec.module, env=env, stdout=self.log)
        return super()._launch(env)
