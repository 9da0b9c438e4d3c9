"""Apache Kafka as deploy/kafka/secured.properties has it: users, certificates, rights, and nobody else."""

import os
import shlex
import subprocess
import sys
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from services.cli.stack.ports import LOOPBACK, free_port
from services.cli.stack.probes import Probe
from shared.bus.cluster import Cluster, ClusterError
from shared.wires.kafka import KafkaServers
from tests.harness.credentials import DEPLOY, USERS, Credentials
from tests.harness.kafka import JVM, KafkaBroker
from tests.harness.kafka_jars import kafka_classpath

_LOGIN = "org.apache.kafka.common.security"


class SecuredKafka(KafkaBroker):
    """One listener for users with passwords, one for certificates. Everybody of `credentials` is known."""

    def __init__(self, folder: Path, credentials: Credentials) -> None:
        self._certificates_port = free_port()
        self._credentials = credentials
        self._folder = folder
        super().__init__(folder)

    @property
    def by_password(self) -> str:
        """The listener for SASL_SSL."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def by_certificate(self) -> str:
        """The listener for SSL with certificates of the clients."""
        return f"{LOOPBACK}:{self._certificates_port}"

    def probe(self) -> Probe:
        servers = KafkaServers(self.by_password, self._credentials.security("admin"))

        async def probe() -> bool:
            try:
                async with Cluster(servers, within_s=0):
                    return True
            except ClusterError:
                return False

        return probe

    def give_rights(self, *, by_tool: Collection[str]) -> None:
        """Have what deploy/kafka/acls.py prints done: for some by Kafka's own tool, as users do it.

        For the others by what reads the same lines, since each command is a JVM that starts.
        """
        script = [sys.executable, str(DEPLOY / "kafka" / "acls.py"), "--namespace", self._credentials.namespace]
        options = ["--bootstrap-server", self.by_password, "--command-config", str(self._admin_properties())]
        printed = subprocess.run([*script, *options], check=True, capture_output=True, text=True, timeout=30).stdout
        lines = printed.splitlines()
        principals = [f"User:{self._credentials.name(user)}" for user in by_tool]
        for_tool = [line for line in lines if any(principal in shlex.split(line) for principal in principals)]
        with ThreadPoolExecutor(2) as threads:
            ran = threads.map(self._run_tool, for_tool)
            self.rights = {right for line in lines for right in _rights(line)}
            rest = [right for line in lines if line not in for_tool for right in _rights(line)]
            admin = self._admin()
            for created in admin.create_acls(rest).values():
                created.result()
            list(ran)

    def refused(self) -> list[str]:
        """Who was refused what, since it was started, as Kafka's authorizer logs it."""
        return [line for line in self.log.read_text(encoding="utf-8").splitlines() if "is Denied" in line]

    def rights_now(self) -> set[AclBinding]:
        """What Kafka says that everybody may do."""
        anything = AclBindingFilter(
            ResourceType.ANY,
            None,
            ResourcePatternType.ANY,
            None,
            None,
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        admin = self._admin()
        return set(admin.describe_acls(anything).result())

    def _admin(self) -> AdminClient:
        return AdminClient(
            {
                "bootstrap.servers": self.by_password,
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": "admin",
                "sasl.password": self._credentials.password("admin"),
                "ssl.ca.location": str(self._credentials.ca),
                "log_level": 3,
            }
        )

    def _run_tool(self, line: str) -> None:
        path = {**os.environ, "PATH": f"{self._tools()}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(["sh", "-ec", line], env=path, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"

    def _tools(self) -> Path:
        """A folder of the tools, as Kafka's distribution has them."""
        folder = self._folder / "bin"
        folder.mkdir(exist_ok=True)
        java = shlex.join(["java", *JVM, "-cp", kafka_classpath()])
        tool = folder / "kafka-acls.sh"
        tool.write_text(f'#!/bin/sh\nexec {java} org.apache.kafka.tools.AclCommand "$@"\n', encoding="utf-8")
        tool.chmod(0o755)
        return folder

    def _admin_properties(self) -> Path:
        """As docs/security.md has it."""
        path = self._folder / "admin.properties"
        login = f'username="admin" password="{self._credentials.password("admin")}"'
        path.write_text(
            "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
            f"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required {login};\n"
            f"ssl.truststore.type=PEM\nssl.truststore.location={self._credentials.ca}\n",
            encoding="utf-8",
        )
        return path

    def _format_options(self) -> list[str]:
        users = {
            user: f"[name={self._credentials.name(user)},password={self._credentials.password(user)}]" for user in USERS
        }
        scram = [*(f"SCRAM-SHA-512={user}" for user in users.values()), f"SCRAM-SHA-256={users['uploader']}"]
        return [word for user in scram for word in ("--add-scram", user)]

    def _defaults(self) -> dict[str, str]:
        """The test's usual ones, over which stand the shipped ones, with the files of the credentials."""
        text = (DEPLOY / "kafka" / "secured.properties").read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        pairs = dict(line.split("=", 1) for line in lines)
        folder = str(self._credentials.folder)
        listeners = f"USERS://{self.by_password},CERTIFICATES://{self.by_certificate}"
        # Beside the mechanism that is shipped, those that others may have.
        name, password = self._credentials.name("uploader"), self._credentials.password("uploader")
        others = {
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN",
            "listener.name.users.scram-sha-256.sasl.jaas.config": f"{_LOGIN}.scram.ScramLoginModule required;",
            "listener.name.users.plain.sasl.jaas.config": (
                f'{_LOGIN}.plain.PlainLoginModule required user_{name}="{password}";'
            ),
        }
        return {
            **super()._defaults(),
            **{name: value.replace("/etc/kafka", folder) for name, value in pairs.items()},
            **others,
            "listeners": f"{listeners},CONTROLLER://{LOOPBACK}:{self._controller_port}",
            "advertised.listeners": listeners,
        }


def _rights(line: str) -> Iterator[AclBinding]:
    """What a command of kafka-acls.sh gives."""
    words = iter(shlex.split(line)[1:])
    options = [(word, next(words)) for word in words if word not in ("--add", "--force")]
    said = dict(options)
    for option, name in options:
        if option in ("--topic", "--group"):
            yield AclBinding(
                ResourceType[option.removeprefix("--").upper()],
                name,
                ResourcePatternType[said["--resource-pattern-type"].upper()],
                said["--allow-principal"],
                "*",
                AclOperation[said["--operation"].upper()],
                AclPermissionType.ALLOW,
            )
