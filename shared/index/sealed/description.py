"""What a sealed segment consists of, and how it is known that its files are what was written."""

import hashlib
from pathlib import Path

import msgspec

from shared.index.vectors import ElementType, Metric, VectorFormat


class CorruptSegment(Exception):
    """A file is not what was written: it must not be opened. The text says which, what was expected and what found."""


class FileDescription(msgspec.Struct, frozen=True, kw_only=True):
    """bytes: the file's size. sha256: in hex."""

    bytes: int
    sha256: str


class SegmentDescription(msgspec.Struct, frozen=True, kw_only=True):
    """All that must be known to fetch a segment, to verify it and to open it.

    name: follows from the files, so that the same name always means the same bytes. rows: dead ones cannot be told
    from here. scheme: of the codes. element, metric, code_bytes: their format. first_offset, last_offset: of the
    operations that put the rows.
    """

    name: str
    rows: int
    scheme: str
    element: ElementType
    metric: Metric
    code_bytes: int
    first_offset: int
    last_offset: int
    files: dict[str, FileDescription]

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files.values())

    @property
    def vector_format(self) -> VectorFormat:
        return VectorFormat(element=self.element, metric=self.metric)


def describe_file(path: Path) -> FileDescription:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileDescription(bytes=file.tell(), sha256=digest)


def segment_name(files: dict[str, FileDescription]) -> str:
    """The name of the segment that has these files."""
    listed = "\n".join(f"{name} {file.sha256}" for name, file in sorted(files.items()))
    return hashlib.sha256(listed.encode()).hexdigest()[:32]


def verify(folder: Path, description: SegmentDescription) -> None:
    """Read all files of a segment and compare them with its description. Raises CorruptSegment."""
    for name, expected in description.files.items():
        verify_file(folder / name, expected)


def verify_file(path: Path, expected: FileDescription) -> None:
    """Read a file and compare it with its description. Raises CorruptSegment."""
    try:
        size = path.stat().st_size
        if size != expected.bytes:
            raise CorruptSegment(f"{path} has {size} bytes, and {expected.bytes} were written")
        found = describe_file(path)
    except OSError as error:
        raise CorruptSegment(f"{path} cannot be read: {error}") from error
    if found.sha256 != expected.sha256:
        raise CorruptSegment(f"{path} has the SHA-256 {found.sha256}, and what was written has {expected.sha256}")
