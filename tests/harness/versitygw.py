"""versitygw: an S3 server that announces its objects on Kafka by itself. Built by Go, once for each version."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from services.cli.stack.cache import user_cache
from services.cli.stack.ports import LOOPBACK, free_port
from services.cli.stack.probes import Probe, http_probe
from tests.harness.daemon import Daemon

VERSION = "v1.8.0"
_PACKAGE = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"
_BUILD_TIMEOUT_S = 600
_HEALTH = "/healthz"


class VersityGatewayMissingError(Exception):
    """It cannot be had on this machine; the message says why."""


def versitygw_binary() -> Path:
    """The server. Built on first use, which takes minutes; Go holds the sources to the checksums that it knows."""
    binary = user_cache() / "versitygw" / VERSION / "versitygw"
    if binary.exists():
        return binary
    go = shutil.which("go")
    if go is None:
        raise VersityGatewayMissingError("there is no go on PATH to build versitygw with")
    partial = binary.parent / f"building-{os.getpid()}"
    command = [go, "install", _PACKAGE]
    env = {**os.environ, "GOBIN": str(partial)}
    built = subprocess.run(command, env=env, capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S, check=False)
    if built.returncode != 0:
        raise VersityGatewayMissingError(f"{' '.join(command)} failed: {built.stderr[-500:]}")
    (partial / "versitygw").replace(binary)
    partial.rmdir()
    return binary


class VersityGateway(Daemon):
    """One server on a port of its own, its objects in `folder`, its notifications on a topic that must exist."""

    start_timeout_s = 20.0
    stop_timeout_s = 1.0  # it takes ten seconds to end in good order, and nobody needs what it holds then

    def __init__(self, folder: Path, *, kafka: str, topic: str) -> None:
        super().__init__("versitygw", log=folder / "versitygw.log")
        self._binary = versitygw_binary()
        self._notifications = ["--event-kafka-url", kafka, "--event-kafka-topic", topic]
        self._objects, self._metadata = folder / "objects", folder / "metadata"
        self._port = free_port()

    @property
    def environment(self) -> dict[str, str]:
        """What its clients need, as AWS's own tools name it."""
        return {
            "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{self._port}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "afterimage",
            "AWS_SECRET_ACCESS_KEY": "of this test alone",
        }

    def command(self) -> Sequence[str]:
        for folder in (self._objects, self._metadata):
            folder.mkdir(parents=True, exist_ok=True)
        keys = [
            "--access",
            self.environment["AWS_ACCESS_KEY_ID"],
            "--secret",
            self.environment["AWS_SECRET_ACCESS_KEY"],
        ]
        server = [str(self._binary), *keys, "--port", f"{LOOPBACK}:{self._port}", "--health", _HEALTH, "--keep-alive"]
        return [*server, *self._notifications, "posix", "--sidecar", str(self._metadata), str(self._objects)]

    def probe(self) -> Probe:
        return http_probe(self._port, _HEALTH)
