"""The brokers that tests run on: Apache Kafka, and the embedded one where there is no Java."""

import base64
import subprocess
import uuid
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path

from services.cli.stack.broker import broker_command
from services.cli.stack.ports import LOOPBACK, free_port, free_ports
from services.cli.stack.probes import Probe, kafka_probe
from tests.harness.daemon import Daemon, DaemonFailedError
from tests.harness.kafka_jars import QUIET_JVM, kafka_classpath

# A small, quick-starting JVM: these brokers live for seconds and share the machine with the tests.
JVM = [*QUIET_JVM, "-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=INFO"]


class Broker(Daemon):
    """What every broker can do, beside start, stop, kill and restart."""

    durable: bool
    """Whether the log survives stop, kill and restart."""

    def __init__(self, name: str, *, port: int, log: Path) -> None:
        super().__init__(name, log=log)
        self.port = port

    @property
    def bootstrap_servers(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    @abstractmethod
    def title(self) -> str:
        """For the header of the test run."""

    def probe(self) -> Probe:
        return kafka_probe(self.port)


class KafkaBroker(Broker):
    """Apache Kafka: one KRaft node, broker and controller in one, its data in `folder`.

    Topics are never created by accident: a test creates what it uses.
    """

    durable = True

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None) -> None:
        """settings: broker properties on top of the test's usual ones."""
        port, self._controller_port = free_ports(2)
        super().__init__("kafka", port=port, log=folder / "kafka.log")
        self._data = folder / "data"
        self._properties = folder / "server.properties"
        native_libraries = folder / "native"
        native_libraries.mkdir(parents=True, exist_ok=True)
        self._java = ["java", *JVM, f"-Djava.io.tmpdir={native_libraries}", "-cp", kafka_classpath()]
        lines = (f"{name}={value}" for name, value in {**self._defaults(), **(settings or {})}.items())
        self._properties.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def title(self) -> str:
        return "Apache Kafka, as pinned by deploy/kafka/pom.xml"

    def command(self) -> list[str]:
        if not self._data.exists():
            self._format()
        return [*self._java, "kafka.Kafka", str(self._properties)]

    def _format(self) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = [*self._java, "kafka.tools.StorageTool", "format", "--standalone"]
        done = subprocess.run(
            [*tool, f"--cluster-id={cluster_id}", "--config", str(self._properties), *self._format_options()],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise DaemonFailedError(f"Kafka's storage could not be formatted:\n{done.stdout}{done.stderr}")

    def _format_options(self) -> list[str]:
        """What is put into the storage when it is formatted."""
        return []

    def _defaults(self) -> dict[str, str]:
        broker, controller = f"{LOOPBACK}:{self.port}", f"{LOOPBACK}:{self._controller_port}"
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.bootstrap.servers": controller,
            "log.dirs": str(self._data),
            "auto.create.topics.enable": "false",
            # One node holds every internal topic, in as few files as possible.
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "3",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            # Groups form at once, compaction comes soon, and a restarted broker is leader again quickly.
            "group.initial.rebalance.delay.ms": "0",
            "log.cleaner.backoff.ms": "500",
            "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
            "broker.heartbeat.interval.ms": "500",
            "broker.session.timeout.ms": "3000",
        }


class EmbeddedBroker(Broker):
    """The broker of `afterimage up`: in memory, so every restart begins with an empty log and a new cluster id."""

    durable = False

    def __init__(self, folder: Path) -> None:
        super().__init__("embedded broker", port=free_port(), log=folder / "broker.log")

    @property
    def title(self) -> str:
        return "the embedded broker"

    def command(self) -> list[str]:
        return broker_command(self.port)
