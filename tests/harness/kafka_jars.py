"""Apache Kafka's jars: pinned by deploy/kafka/pom.xml, fetched by Maven, found again without it."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from services.cli.stack.cache import user_cache

OLDEST_JAVA = 17
QUIET_JVM = ("-XX:-UsePerfData",)
"""Every other JVM leaves a folder for its performance data in /tmp."""
POM = Path(__file__).parents[2] / "deploy" / "kafka" / "pom.xml"


class KafkaJarsMissingError(Exception):
    """The jars cannot be had on this machine; the message says why."""


def kafka_classpath() -> str:
    """What goes after `java -cp`. Asks Maven once for each version of the pom, then works offline."""
    _require_java()
    cached = user_cache() / "kafka" / f"{hashlib.sha256(POM.read_bytes()).hexdigest()[:16]}.classpath"
    if cached.exists():
        classpath = cached.read_text(encoding="utf-8").strip()
        if all(Path(jar).is_file() for jar in classpath.split(os.pathsep)):
            return classpath
    classpath = _resolve()
    cached.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=cached.parent, encoding="utf-8", delete=False) as partial:
        partial.write(classpath)
    Path(partial.name).replace(cached)
    return classpath


def _require_java() -> None:
    java = shutil.which("java")
    if java is None:
        raise KafkaJarsMissingError(f"there is no java on PATH (Kafka 4 needs Java {OLDEST_JAVA} or newer)")
    show = [java, *QUIET_JVM, "-XshowSettings:properties", "-version"]
    settings = subprocess.run(show, capture_output=True, text=True, timeout=60, check=False).stderr
    version = re.search(r"java\.specification\.version = (\d+)", settings)
    if version is None or int(version[1]) < OLDEST_JAVA:
        found = version[1] if version else "of an unknown version"
        raise KafkaJarsMissingError(f"{java} is Java {found}, and Kafka 4 needs {OLDEST_JAVA} or newer")


def _resolve() -> str:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaJarsMissingError("there is no mvn on PATH, and Kafka's jars are not cached yet")
    with tempfile.TemporaryDirectory(prefix="afterimage-kafka-") as folder:
        output = Path(folder) / "classpath"
        command = [maven, "--quiet", "--batch-mode", "--file", str(POM), "dependency:build-classpath"]
        done = subprocess.run(
            [*command, f"-Dmdep.outputFile={output}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            env={"MAVEN_OPTS": " ".join(QUIET_JVM), **os.environ},
            check=False,
        )
        if done.returncode != 0:
            raise KafkaJarsMissingError(
                f"Maven could not fetch Kafka's jars:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        return output.read_text(encoding="utf-8").strip()
