"""A server that is there, and does not let us in, or does not let us do it."""

import ssl
from collections.abc import Iterator


class Refused(Exception):
    """To ask again does not help. The text says which server refused whom, what for, and what to do."""


def tls_refusal(error: ssl.SSLError, *, server: str, address: str) -> str:
    """What went wrong in a handshake, and what to do; to be put behind the server's name.

    server: KAFKA or REDIS, which the variables begin with. address: the variable of where it is.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"shows a certificate that is not to be trusted ({error.verify_message}): {server}_SSL_CA must name the "
            f"authority that made it, and {address} a name that stands in it"
        )
    if "CERTIFICATE" in str(error.reason):
        return f"wants a certificate that it trusts: {server}_SSL_CERTIFICATE and {server}_SSL_KEY ({error})"
    return f"speaks no TLS that we do: is {address} that of a listener with TLS? ({error})"


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it came of, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
