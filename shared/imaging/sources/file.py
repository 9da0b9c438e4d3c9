"""References to local files."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from shared.events.faults import PoisonInput, RejectReason, TransientFault
from shared.imaging.budget import Room
from shared.imaging.policy import FetchPolicy
from shared.imaging.sources.folder import NotAFile, open_below
from shared.imaging.sources.source import shown

_THREADS = 8


class FileSource:
    """Reads file:// references below the roots of the policy.

    Symbolic links are followed before the check, and none after it. A file system that hangs holds the source's own
    threads alone.
    """

    def __init__(self, policy: FetchPolicy) -> None:
        self._roots = tuple(root.resolve() for root in policy.file_roots)
        self._max_bytes = policy.max_bytes
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")

    async def read(self, uri: str, room: Room) -> bytes:
        loop = asyncio.get_running_loop()
        size = await loop.run_in_executor(self._threads, self._size, uri)
        room.claim(size, of=size)
        return await loop.run_in_executor(self._threads, self._read, uri, size)

    async def aclose(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _size(self, uri: str) -> int:
        """The most that is to be read: a file that does not say, as in /proc, may be as large as any."""
        with self._open(uri) as file:
            size = os.fstat(file.fileno()).st_size
        self._check_size(size, uri)
        return size or self._max_bytes

    def _read(self, uri: str, size: int) -> bytes:
        with self._open(uri) as file:
            data = file.read(size + 1) or b""  # None where the kernel has nothing to say yet, in /proc
        self._check_size(len(data), uri)
        if len(data) > size:
            raise TransientFault(f"the file grew beyond {size} bytes while it was read")
        return data

    @contextmanager
    def _open(self, uri: str) -> Iterator[BinaryIO]:
        root, path = self._allowed_path(uri)
        try:
            with os.fdopen(open_below(root, path.relative_to(root).parts), "rb") as file:
                yield file
        except NotAFile as error:
            raise PoisonInput(RejectReason.NOT_FOUND, f"{shown(uri)} is not a file") from error
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            raise PoisonInput(
                RejectReason.NOT_FOUND, f"{shown(uri)} cannot be opened here: {error.strerror}"
            ) from error
        except OSError as error:
            raise TransientFault(f"the file system said {error.strerror!r}") from error

    def _check_size(self, size: int, uri: str) -> None:
        if size > self._max_bytes:
            raise PoisonInput(
                RejectReason.TOO_MANY_BYTES, f"{shown(uri)} is larger than the limit of {self._max_bytes} bytes"
            )

    def _allowed_path(self, uri: str) -> tuple[Path, Path]:
        """Return the root, and the path below it without links and "..". Raises PoisonInput."""
        try:
            parts = urlsplit(uri)
            path = Path(unquote(parts.path, errors="strict")).resolve()
        except (ValueError, OSError, RuntimeError) as error:
            # Bad brackets or UTF-8, a NUL byte, a name too long, a loop of links (RuntimeError before Python 3.13).
            raise PoisonInput(RejectReason.URI_NOT_ALLOWED, f"{shown(uri)} names no path: {error}") from error
        if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment:
            raise PoisonInput(
                RejectReason.URI_NOT_ALLOWED,
                f"{shown(uri)} must be file:///path, with no other host, and with ? and # percent-encoded",
            )
        for root in self._roots:
            if path.is_relative_to(root):
                return root, path
        roots = ", ".join(map(str, self._roots)) or "none"
        raise PoisonInput(
            RejectReason.URI_NOT_ALLOWED,
            f"{shown(uri)} lies outside of the folders that may be read ({roots}); "
            "move the file there, or let the operator add its folder",
        )
