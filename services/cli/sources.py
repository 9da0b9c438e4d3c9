"""What to ingest: folders, files, globs and URIs become a list of images with ids."""

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.cli.failures import Failure, Status
from shared.events.images import MAX_INLINE_BYTES

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic"})
"""Which files of a folder are offered; what they really hold is told by their content later."""


@dataclass(frozen=True, slots=True)
class Source:
    """One image: its id, and where it is. path: where this machine has it, too."""

    id: str
    uri: str
    path: Path | None = None

    def inline(self) -> bytes | None:
        """The content, if it is small enough to travel in the event; None where it is not. Raises OSError."""
        if self.path is None or self.path.stat().st_size > MAX_INLINE_BYTES:
            return None
        return self.path.read_bytes()


def collect(places: Iterable[str]) -> list[Source]:
    """The images at the places given, in order, each once.

    Ids: a URI is its own; a file below a folder has its path in that folder; another file has its name. Raises Failure
    where a place does not exist, or two images would have one id.
    """
    found: dict[str, Source] = {}
    for source in (source for place in places for source in _at(place)):
        other = found.setdefault(source.id, source)
        if other.uri != source.uri:
            raise Failure(
                f"two images would have the id {source.id!r}: {other.uri} and {source.uri}. Ingest them apart, "
                "with --prefix",
                Status.MISUSED,
            )
    if not found:
        raise Failure(f"no images there; looked for {', '.join(sorted(SUFFIXES))}", Status.MISUSED)
    return list(found.values())


def local(path: Path, image_id: str) -> Source:
    return Source(image_id, path.resolve().as_uri(), path)


def _at(place: str) -> Iterator[Source]:
    if "://" in place:
        yield Source(place, place)
        return
    path = Path(place).expanduser()
    if path.is_dir():
        yield from _below(path)
    elif path.is_file():
        yield local(path, path.name)
    else:
        matches = [Path(match) for match in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 - takes absolute patterns, which Path.glob does not
        if not matches:
            raise Failure(f"there is nothing at {place!r}", Status.MISUSED)
        yield from (local(match, match.name) for match in matches if match.is_file())


def _below(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and path.suffix.lower() in SUFFIXES:
            yield local(path, path.relative_to(folder).as_posix())
