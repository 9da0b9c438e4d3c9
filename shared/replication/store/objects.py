"""Where segments and manifests are kept: a folder, or a bucket in S3 and what speaks its protocol.

Everything here blocks. (obstore's asynchronous half can abort the interpreter when it ends.)
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from shared.index.sealed.writing import put_durably


class StoreUnavailable(Exception):
    """The store cannot be reached, or is full, for now: try again."""


class ObjectStore(Protocol):
    """Files by path, of which each appears whole or not at all. Every method raises StoreUnavailable."""

    def put(self, path: str, content: Path | bytes) -> None:
        """Return when it is durable."""

    def read(self, path: str) -> bytes:
        """Return what it holds. Raises FileNotFoundError."""

    def fetch(self, path: str, to: Path) -> None:
        """Copy it to a file. Raises FileNotFoundError."""

    def names(self, prefix: str) -> dict[str, int]:
        """Return the names directly below a folder, and their sizes in bytes; 0 for a folder."""

    def delete(self, paths: Iterable[str]) -> None:
        """Remove what is there of them."""


class FolderStore:
    """Implements ObjectStore on a folder, which may be one that several machines mount."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, path: str, content: Path | bytes) -> None:
        with _unavailable(f"writing {path}"):
            put_durably(self._folder / path, content)

    def read(self, path: str) -> bytes:
        with _unavailable(f"reading {path}"):
            return (self._folder / path).read_bytes()

    def fetch(self, path: str, to: Path) -> None:
        with _unavailable(f"reading {path}"):
            shutil.copyfile(self._folder / path, to)

    def names(self, prefix: str) -> dict[str, int]:
        with _unavailable(f"listing {prefix}"):
            folder = self._folder / prefix
            return dict(_sizes(folder.iterdir())) if folder.exists() else {}

    def delete(self, paths: Iterable[str]) -> None:
        with _unavailable("deleting"):
            for path in paths:
                place = self._folder / path
                place.unlink(missing_ok=True)
                with suppress(OSError):  # others are still in it
                    place.parent.rmdir()


def _sizes(paths: Iterable[Path]) -> Iterator[tuple[str, int]]:
    """Names and sizes, without those of files that others remove or put in place meanwhile."""
    for path in paths:
        with suppress(FileNotFoundError):
            yield path.name, path.stat().st_size


class BucketStore:
    """Implements ObjectStore on s3://bucket/prefix. Credentials, endpoint and region come from AWS_* variables."""

    def __init__(self, url: str) -> None:
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
        # An operator who names an http:// endpoint wants it used.
        self._store = S3Store(
            bucket, prefix=prefix or None, client_options={"allow_http": endpoint.startswith("http://")}
        )

    def put(self, path: str, content: Path | bytes) -> None:
        with _unavailable(f"writing {path}"):
            obstore.put(self._store, path, content)

    def read(self, path: str) -> bytes:
        with _unavailable(f"reading {path}"):
            return bytes(obstore.get(self._store, path).bytes())

    def fetch(self, path: str, to: Path) -> None:
        with _unavailable(f"reading {path}"), to.open("wb") as file:
            for chunk in obstore.get(self._store, path).stream():
                file.write(chunk)

    def names(self, prefix: str) -> dict[str, int]:
        with _unavailable(f"listing {prefix}"):
            found = obstore.list_with_delimiter(self._store, prefix)
            objects = {each["path"].rpartition("/")[2]: each["size"] for each in found["objects"]}
            return objects | {path.rstrip("/").rpartition("/")[2]: 0 for path in found["common_prefixes"]}

    def delete(self, paths: Iterable[str]) -> None:
        with _unavailable("deleting"):
            obstore.delete(self._store, list(paths))


def open_store(url: str) -> ObjectStore:
    """The store at a folder's path or an s3:// address."""
    return BucketStore(url) if url.startswith("s3://") else FolderStore(Path(url))


@contextmanager
def _unavailable(doing: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise StoreUnavailable(f"{doing}: {error}") from error
