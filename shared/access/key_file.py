"""The file of keys: JSON, written whole or not at all, read by every gateway."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

from shared.access.keys import ApiKey

VERSION = 1


class BadKeyFile(Exception):
    """The file cannot be read as keys; the text says why."""


class NoKeyFile(BadKeyFile):
    """There is no such file."""


class _Content(msgspec.Struct, frozen=True, kw_only=True):
    v: int
    keys: list[ApiKey]


def read_keys(path: Path) -> list[ApiKey]:
    """The keys in the file. Raises BadKeyFile, and NoKeyFile where there is none."""
    try:
        content = msgspec.json.decode(path.read_bytes(), type=_Content)
    except FileNotFoundError as error:
        raise NoKeyFile(f"{path} cannot be read: {error.strerror}") from None
    except OSError as error:
        raise BadKeyFile(f"{path} cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadKeyFile(f"{path} is no file of keys: {error}") from None
    if content.v != VERSION:
        raise BadKeyFile(f"{path} has version {content.v}; this release knows {VERSION}")
    names = [key.name for key in content.keys]
    if twice := {name for name in names if names.count(name) > 1}:
        raise BadKeyFile(f"{path} has several keys of the name {', '.join(sorted(twice))}")
    return content.keys


def write_keys(path: Path, keys: Iterable[ApiKey]) -> None:
    """Replace the file. Only its owner can read it. Raises OSError."""
    content = _Content(v=VERSION, keys=sorted(keys, key=lambda key: key.name))
    data = msgspec.json.format(msgspec.json.encode(content)) + b"\n"
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
        try:
            part.write(data)
            part.flush()
            os.fsync(part.fileno())
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
