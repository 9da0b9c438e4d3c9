"""versitygw: an S3 server that announces its objects on Kafka by itself.

`python -m tests.harness.versitygw` has Go build it, once for each version: two minutes of two processors.
"""

from collections.abc import Sequence
from pathlib import Path

from services.cli.stack.ports import LOOPBACK, free_port
from services.cli.stack.probes import Probe, http_probe
from tests.harness.daemon import Daemon
from tests.harness.go_programs import built_go_program, go_program

_PACKAGE = ("github.com/versity/versitygw/cmd/versitygw", "v1.8.0")
_HEALTH = "/healthz"


class VersityGateway(Daemon):
    """One server on a port of its own, its objects in `folder`, its notifications on a topic that must exist.

    Raises GoProgramMissingError where it was not built.
    """

    start_timeout_s = 20.0
    stop_timeout_s = 1.0  # it takes ten seconds to end in good order, and nobody needs what it holds then

    def __init__(self, folder: Path, *, kafka: str, topic: str) -> None:
        super().__init__("versitygw", log=folder / "versitygw.log")
        self._binary = built_go_program(*_PACKAGE)
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


if __name__ == "__main__":
    go_program(*_PACKAGE)
