"""The images that docker-compose.yml names: ours from the real Dockerfile, the others from Debian under their names.

There is no registry here. Each stand-in has the program, the user and the folders that the file relies on, so that
nothing in the file has to differ.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.compose.diary import Diary
from tests.compose.engine import Engine
from tests.harness.go_programs import go_program
from tests.harness.kafka_jars import kafka_classpath
from tests.unit.deploy.files import DOCKERFILE, KAFKA_POM, ROOT, services

DEBIAN = "localhost/debian:bookworm"
STANDINS = Path(__file__).parent / "standins"
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")

_MINIO = ("github.com/minio/minio", "github.com/minio/mc")
_MC_VERSION = "v0.0.0-20250313080218-cf909e1063a9"
"""The newest that Go's proxy has; the image of the server brings one of its own time."""


def full_name(image: str) -> str:
    """As Docker Hub is left out: redis:7 is docker.io/library/redis:7."""
    return f"docker.io/{image}" if "/" in image else f"docker.io/library/{image}"


class Images:
    """Makes them in an engine; what is there already, Podman takes from its cache of layers."""

    def __init__(self, engine: Engine, diary: Diary, *, folder: Path) -> None:
        """folder: for what is needed meanwhile."""
        self._engine = engine
        self._diary = diary
        self._folder = folder
        # Layers are packed where temporary files go, and some are of gigabytes.
        self._env = {"TMPDIR": str(folder)}

    def make_debian(self) -> None:
        if self._engine.has(DEBIAN):
            return
        with self._diary.step("Debian: debootstrap"), tempfile.TemporaryDirectory(dir=self._folder) as root:
            self._engine.run(
                ["debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", root], timeout_s=1200
            )
            if AUTHORITIES.exists():  # where a network looks into what passes it, this machine knows its authority
                shutil.copy(AUTHORITIES, root + str(AUTHORITIES))
            for package in Path(root, "var/cache/apt/archives").glob("*.deb"):
                package.unlink()
            packed = Path(self._folder, "debian.tar")
            self._engine.run(["tar", "--create", "--one-file-system", "--directory", root, "--file", str(packed), "."])
            self._engine("import", "--quiet", str(packed), DEBIAN, timeout_s=600)
            packed.unlink()

    def make_standins(self) -> None:
        [python] = re.findall(r"^ARG PYTHON_IMAGE=(\S+)", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
        self._build("python", python)
        self._build("redis", full_name(services()["redis"]["image"]))
        self._build("prometheus", full_name(services()["prometheus"]["image"]))
        kafka = services()["kafka"]["image"]
        self._build("kafka", full_name(kafka), {"libs": kafka_jars(kafka.split(":")[1], self._folder)})

    def make_minio(self) -> None:
        """Raises GoProgramMissingError."""
        image = services()["minio"]["image"]
        server, client = _MINIO
        with self._diary.step("MinIO and its client: built by Go, unless they were before"):
            programs = [
                go_program(server, image.split(":")[1], static=True),
                go_program(client, _MC_VERSION, static=True),
            ]
        self._build("minio", full_name(image), {"bin": programs})

    def make_ours(self, compose: list[str]) -> None:
        """From the real Dockerfile, as docker-compose.yml says. compose: what runs its commands."""
        mounts = [f"--volume={AUTHORITIES}:{AUTHORITIES}:ro"] if AUTHORITIES.exists() else []
        cache = Path(os.environ.get("UV_CACHE_DIR") or Path.home() / ".cache" / "uv")
        if cache.exists():  # in place of Podman's own cache for that folder: gigabytes that need not be fetched again
            place = self._folder / "buildah-cache" / "root" / ".cache" / "uv"
            place.parent.mkdir(parents=True)
            place.symlink_to(cache)
        with self._diary.step("our image: deploy/Dockerfile"):
            self._engine.run(
                [*compose, f"--podman-build-args=--isolation=chroot {' '.join(mounts)}", "build", "topics"],
                timeout_s=3600,
                shown=True,
                env=self._env,
            )

    def _build(self, name: str, image: str, files: dict[str, list[Path]] | None = None) -> None:
        """files: by folder, what is copied beside the Dockerfile."""
        with self._diary.step(f"{name}, in place of {image}"), tempfile.TemporaryDirectory(dir=self._folder) as context:
            shutil.copytree(STANDINS / name, context, dirs_exist_ok=True)
            for folder, paths in (files or {}).items():
                for path in paths:
                    Path(context, folder).mkdir(exist_ok=True)
                    shutil.copy(path, Path(context, folder))
            build = ["build", "--quiet", "--isolation=chroot", "--tag", image, context]
            self._engine(*build, timeout_s=1800, env=self._env)


def kafka_jars(version: str, folder: Path) -> list[Path]:
    """The broker's, and the tools that its health check is from, which are a jar that no other asks for."""
    tools = folder / f"kafka-tools-{version}.jar"
    if not tools.exists():
        maven = ["mvn", "--quiet", "--batch-mode", "--file", str(KAFKA_POM), "dependency:copy"]
        artifact = f"-Dartifact=org.apache.kafka:kafka-tools:{version}"
        subprocess.run(
            [*maven, artifact, f"-DoutputDirectory={folder}"], cwd=ROOT, stdout=sys.stderr, timeout=600, check=True
        )
    return [tools, *(Path(jar) for jar in kafka_classpath().split(os.pathsep))]
