"""What takes long to make and comes out the same each time: kept in a folder, under a name that says what made it."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.table import say


class Cache:
    """folder: may stay from one run to the next."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def folder(self, name: str, made_from: str, make: Callable[[Path], None]) -> Path:
        """Return a folder with what `make` put there. made_from: all that the result depends on."""
        place = self._folder / f"{name}-{hashlib.sha256(made_from.encode()).hexdigest()[:12]}"
        if not place.exists():
            say(f"making {place.name}")
            beside = Path(mkdtemp(prefix=".unfinished-", dir=self._folder))
            try:
                make(beside)
                beside.rename(place)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
        return place


def sources(package: Path) -> str:
    """A digest of a package's Python files, for what its code makes."""
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
