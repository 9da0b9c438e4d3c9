"""Servers that Go builds from its module proxy, once for each version."""

import os
import shutil
import subprocess
from pathlib import Path

from services.cli.stack.cache import user_cache

_BUILD_TIMEOUT_S = 1200


class GoProgramMissingError(Exception):
    """It cannot be had on this machine; the message says why."""


def go_program(package: str, version: str, *, static: bool = False) -> Path:
    """The program that `package` is. Built on first use, which takes minutes; Go knows the sources' checksums.

    static: without C's library, so that it runs beside another version of that.
    """
    binary = _place(package, version)
    if binary.exists():
        return binary
    name = binary.name
    go = shutil.which("go")
    if go is None:
        raise GoProgramMissingError(f"there is no go on PATH to build {name} with")
    partial = binary.parent / f"building-{os.getpid()}"
    command = [go, "install", f"{package}@{version}"]
    env = {**os.environ, "GOBIN": str(partial), **({"CGO_ENABLED": "0"} if static else {})}
    built = subprocess.run(command, env=env, capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S, check=False)
    if built.returncode != 0:
        raise GoProgramMissingError(f"{' '.join(command)} failed: {built.stderr[-500:]}")
    (partial / name).replace(binary)
    partial.rmdir()
    return binary


def built_go_program(package: str, version: str) -> Path:
    """The same where it was built already. Raises GoProgramMissingError."""
    binary = _place(package, version)
    if not binary.exists():
        raise GoProgramMissingError(f"{binary.name} {version} is not built: `make test-bucket` does that")
    return binary


def _place(package: str, version: str) -> Path:
    name = Path(package).name
    return user_cache() / name / version / name
