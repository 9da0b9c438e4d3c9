"""Which images to read on this machine: files, folders with all that is below them, and the standard input."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.cli.failures import Failure, Status
from services.cli.sources import SUFFIXES
from shared.events.faults import PoisonInput, RejectReason

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Picture:
    """One image by its path, as it was given or found; `-` is the standard input."""

    path: str

    @property
    def name(self) -> str:
        """The path in valid Unicode, which the name of a file need not be."""
        return os.fsencode(self.path).decode(errors="replace")

    def read(self, max_bytes: int) -> bytes:
        """Return the content, or only its beginning where it is larger than `max_bytes`. Raises PoisonInput."""
        try:
            if self.path == STANDARD_INPUT:
                return sys.stdin.buffer.read(max_bytes + 1)
            with Path(self.path).open("rb") as file:
                return file.read(max_bytes + 1)
        except OSError as error:
            raise PoisonInput(RejectReason.NOT_FOUND, f"it cannot be read: {error.strerror}") from error


def check(places: Sequence[str]) -> None:
    """Raise Failure for a place where there is nothing, and where there are no images at all."""
    for place in places:
        if place != STANDARD_INPUT and not Path(place).exists():
            raise Failure(f"there is nothing at {place!r}", Status.MISUSED)
    if next(pictures(places), None) is None:
        raise Failure(f"no images there; looked for {', '.join(sorted(SUFFIXES))}", Status.MISUSED)


def pictures(places: Iterable[str]) -> Iterator[Picture]:
    """The images at these places in order, those of a folder by name. At no time more than one folder is listed."""
    for place in places:
        if place != STANDARD_INPUT and Path(place).is_dir():
            yield from _below(place)
        else:
            yield Picture(place)


def _below(folder: str) -> Iterator[Picture]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Picture(str(Path(parent, name)))
