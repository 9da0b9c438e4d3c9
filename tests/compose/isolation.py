"""What a running container may do: held against what docker-compose.yml says, by asking the container."""

import re
from dataclasses import dataclass

from tests.compose.engine import Engine, EngineFailedError
from tests.unit.deploy.files import services

_MAY_BE_ROOT = {"minio"}
"""Its image has no other user. It has no capabilities either."""
_LIMITS = {
    "memory": ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"),
    "pids": ("/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids.max"),
}
"""Where the kernel tells them: with cgroups of version 1, and of version 2."""


class NotIsolatedError(Exception):
    """A container may do what it should not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """uid: of the first process. memory: bytes. pids: most processes and threads."""

    uid: int
    capabilities: int
    gains_rights: bool
    writes_to_root: bool
    memory: int
    pids: int

    def __str__(self) -> str:
        root = "writable" if self.writes_to_root else "read-only"
        return f"uid {self.uid}, no capabilities, / {root}, memory {self.memory >> 20} MiB, {self.pids} pids"


def check_isolation(engine: Engine, container: str, service: str) -> Isolation:
    """Raises NotIsolatedError."""
    seen = _look(engine, container)
    asked = services()[service]
    limits = asked["deploy"]["resources"]["limits"]
    wrong = [
        said
        for said, is_wrong in {
            "it runs as root": seen.uid == 0 and service not in _MAY_BE_ROOT,
            f"it has capabilities: {seen.capabilities:x}": seen.capabilities != 0,
            "it can gain rights": seen.gains_rights,
            "its root file system can be written": seen.writes_to_root and asked.get("read_only", False),
            f"its memory is {seen.memory}": seen.memory != _bytes(limits["memory"]),
            f"its processes are {seen.pids}": seen.pids != limits["pids"],
        }.items()
        if is_wrong
    ]
    if wrong:
        raise NotIsolatedError(f"{container}: {'; '.join(wrong)}")
    return seen


def _look(engine: Engine, container: str) -> Isolation:
    status = dict(re.findall(r"^(\w+):\t(\S+)", engine("exec", container, "cat", "/proc/1/status"), re.MULTILINE))
    return Isolation(
        uid=int(status["Uid"]),
        capabilities=int(status["CapBnd"], 16) | int(status["CapEff"], 16),
        gains_rights=status["NoNewPrivs"] != "1",
        writes_to_root=_writes_to_root(engine, container),
        memory=_limit(engine, container, "memory"),
        pids=_limit(engine, container, "pids"),
    )


def _writes_to_root(engine: Engine, container: str) -> bool:
    """Asked as root, so that it is not permissions alone that stand in the way."""
    try:
        engine("exec", "--user", "0", container, "touch", "/afterimage-was-here")
    except EngineFailedError as error:
        return "Read-only file system" not in str(error)
    return True


def _limit(engine: Engine, container: str, what: str) -> int:
    command = f"cat {' '.join(_LIMITS[what])} 2> /dev/null || true"
    return int(engine("exec", container, "sh", "-c", command))


def _bytes(text: str) -> int:
    return int(text[:-1]) << {"M": 20, "G": 30}[text[-1]]
