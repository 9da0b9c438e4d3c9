"""What TLS needs: whose word counts, and what we show of ourselves."""

import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files. ca: the authorities that vouch for the server, in place of the system's. certificate, key: our own.

    The certificate's file holds those between it and the authority too, its own first. The key has no password.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __bool__(self) -> bool:
        return self != TlsFiles()

    def context(self) -> ssl.SSLContext:
        """What a connection is made with: the server's certificate is verified, and so is its name.

        The same object for the same files: who replaces a file restarts the process. Raises ValueError, which names
        the file.
        """
        return _context(self)


@cache
def _context(files: TlsFiles) -> ssl.SSLContext:
    if bool(files.certificate) != bool(files.key):
        raise ValueError("a certificate and its key go together, and only one of them is given")
    try:
        context = ssl.create_default_context(cafile=files.ca)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"{files.ca} holds no certificates of authorities in PEM: {error}") from error
    if files.certificate:
        try:
            context.load_cert_chain(files.certificate, files.key, password=_no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise ValueError(f"{files.certificate} and {files.key} are no certificate and its key: {error}") from error
    return context


def _no_password() -> str:
    """OpenSSL would else ask for it at the terminal."""
    raise ValueError("the key has a password, which nobody is there to type")
