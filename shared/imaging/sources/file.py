"""References to local files."""

import asyncio
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.events.faults import PoisonInput, RejectReason, TransientFault
from shared.imaging.policy import FetchPolicy
from shared.imaging.sources.source import shown


class FileSource:
    """Reads file:// references below the roots of the policy; symbolic links are followed before the check."""

    def __init__(self, policy: FetchPolicy) -> None:
        self._roots = tuple(root.resolve() for root in policy.file_roots)
        self._max_bytes = policy.max_bytes

    async def read(self, uri: str) -> bytes:
        return await asyncio.to_thread(self._read, uri)

    async def aclose(self) -> None:
        """Nothing stays open."""

    def _read(self, uri: str) -> bytes:
        path = self._allowed_path(uri)
        try:
            if not path.is_file():
                raise PoisonInput(RejectReason.NOT_FOUND, f"{shown(uri)} is not a file on this host")
            with path.open("rb") as file:
                data = file.read(self._max_bytes + 1)
        except (FileNotFoundError, PermissionError) as error:
            raise PoisonInput(
                RejectReason.NOT_FOUND, f"{shown(uri)} cannot be opened here: {error.strerror}"
            ) from error
        except OSError as error:
            raise TransientFault(f"the file system said {error.strerror!r}") from error
        if len(data) > self._max_bytes:
            raise PoisonInput(
                RejectReason.TOO_MANY_BYTES, f"{shown(uri)} is larger than the limit of {self._max_bytes} bytes"
            )
        return data

    def _allowed_path(self, uri: str) -> Path:
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
        if not any(path.is_relative_to(root) for root in self._roots):
            roots = ", ".join(map(str, self._roots)) or "none"
            raise PoisonInput(
                RejectReason.URI_NOT_ALLOWED,
                f"{shown(uri)} lies outside of the folders that may be read ({roots}); "
                "move the file there, or let the operator add its folder",
            )
        return path
