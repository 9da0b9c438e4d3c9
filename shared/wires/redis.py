"""Where Redis is, and how it lets us in."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from shared.wires.tls import TlsFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """url: as redis-py takes it, perhaps with a user and a password, for which the other two are another place.

    Raises ValueError where it does not fit together.
    """

    url: str
    username: str = ""
    password: SecretStr | None = None
    tls: TlsFiles = field(default_factory=TlsFiles)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if self.username and not self.password:
            raise ValueError("REDIS_USERNAME takes REDIS_PASSWORD or REDIS_PASSWORD_FILE besides")
        if self.password and (parts.username or parts.password):
            raise ValueError("a user or a password for Redis stands in REDIS_URL and in REDIS_PASSWORD: leave one away")
        if self.tls and parts.scheme != "rediss":
            raise ValueError(f"certificates for Redis are given, which {parts.scheme}:// does not use: rediss:// does")
        if parts.scheme == "rediss":
            try:
                self.tls.context()
            except ValueError as error:
                raise ValueError(f"{error} (REDIS_SSL_CA, REDIS_SSL_CERTIFICATE, REDIS_SSL_KEY)") from error

    def __str__(self) -> str:
        """Without a password."""
        return urlsplit(self.url)._replace(netloc=urlsplit(self.url).netloc.rpartition("@")[2]).geturl()

    @property
    def who(self) -> str:
        """Who we say that we are, for an error's text."""
        return f"the user {self.username or urlsplit(self.url).username or 'default'}"

    def options(self) -> dict[str, Any]:
        """As redis-py's parameters, beside the URL."""
        given = {
            "username": self.username or None,
            "password": self.password.get_secret_value() if self.password else None,
            "ssl_ca_certs": _name(self.tls.ca),
            "ssl_certfile": _name(self.tls.certificate),
            "ssl_keyfile": _name(self.tls.key),
        }
        return {name: value for name, value in given.items() if value is not None}


def _name(path: object) -> str | None:
    return None if path is None else str(path)
