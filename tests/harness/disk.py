"""A disk that is soon full."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from services.cli.stack.probes import Probe
from tests.harness.daemon import Daemon

_MIB = 1024 * 1024
_APART = ("unshare", "--user", "--map-root-user", "--mount")


class SmallDisk(Daemon):
    """A file system of some MiB, in memory, mounted on `folder` for those alone whose command `prefix` runs.

    It stands in namespaces of its own: nobody needs to be root for it, and no mount outlives its process.
    """

    def __init__(self, folder: Path, *, mib: int) -> None:
        super().__init__("disk", log=folder.with_suffix(".log"))
        self.folder = folder
        self._mib = mib
        folder.mkdir()

    @staticmethod
    def why_not() -> str:
        """Why this machine cannot have one; empty where it can."""
        if not all(map(shutil.which, ("unshare", "nsenter", "mount"))):
            return "there is no unshare, nsenter or mount (Linux)"
        tried = subprocess.run([*_APART, "true"], capture_output=True, text=True, check=False)
        return tried.stderr.strip()

    @property
    def prefix(self) -> Sequence[str]:
        """What runs a command that sees the disk."""
        enter = ["nsenter", "--target", str(self.pid), "--user", "--mount", "--preserve-credentials"]
        return [*enter, "sh", "-c", 'cd "$0" && exec "$@"', str(Path.cwd())]

    @property
    def seen_from_here(self) -> Path:
        """Where those find the disk that are outside."""
        return Path(f"/proc/{self.pid}/root{self.folder}")

    def fill(self) -> None:
        """Leave no byte free."""
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(_MIB)):
                    pass
            except OSError:
                return

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.seen_from_here / "ballast"

    def command(self) -> Sequence[str]:
        script = 'mount -t tmpfs -o "size=$1m" tmpfs "$0" && exec sleep infinity'
        return [*_APART, "sh", "-c", script, str(self.folder), str(self._mib)]

    def probe(self) -> Probe:
        async def mounted() -> bool:
            return self.seen_from_here.is_mount()

        return mounted
