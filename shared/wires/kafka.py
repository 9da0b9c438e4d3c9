"""Where Kafka is, and how it lets us in."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from pydantic import SecretStr

from shared.wires.tls import TlsFiles

Protocol: TypeAlias = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism: TypeAlias = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSecurity:
    """What a client shows to a broker, under Kafka's own names. Raises ValueError where it does not fit together.

    Who we are is told by a user and a password (SASL), or by a certificate (`tls`, with SSL).
    """

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str = ""
    password: SecretStr | None = None
    tls: TlsFiles = field(default_factory=TlsFiles)

    def __post_init__(self) -> None:
        if self.uses_sasl and not (self.username and self.password):
            raise ValueError(
                f"{self.protocol} takes a user and a password: KAFKA_SASL_USERNAME, and KAFKA_SASL_PASSWORD or "
                "KAFKA_SASL_PASSWORD_FILE"
            )
        if not self.uses_sasl and (self.username or self.password):
            raise ValueError(
                f"a user or a password for Kafka is given, which KAFKA_SECURITY_PROTOCOL={self.protocol} does not use: "
                "SASL_SSL does"
            )
        if not self.uses_tls and self.tls:
            raise ValueError(
                f"certificates for Kafka are given, which KAFKA_SECURITY_PROTOCOL={self.protocol} does not use: SSL "
                "and SASL_SSL do"
            )
        if self.uses_tls:
            try:
                self.tls.context()
            except ValueError as error:
                raise ValueError(f"{error} (KAFKA_SSL_CA, KAFKA_SSL_CERTIFICATE, KAFKA_SSL_KEY)") from error

    @property
    def uses_tls(self) -> bool:
        return self.protocol in ("SSL", "SASL_SSL")

    @property
    def uses_sasl(self) -> bool:
        return self.protocol in ("SASL_PLAINTEXT", "SASL_SSL")

    @property
    def who(self) -> str:
        """Who we say that we are, for an error's text."""
        if self.uses_sasl:
            return f"the user {self.username}"
        return f"whom {self.tls.certificate} names" if self.tls.certificate else "a client without a name"

    def options(self) -> dict[str, Any]:
        """As aiokafka's parameters; nothing where nothing is shown."""
        found: dict[str, Any] = {} if self.protocol == "PLAINTEXT" else {"security_protocol": self.protocol}
        if self.uses_tls:
            found["ssl_context"] = self.tls.context()
        if self.uses_sasl and self.password:
            found["sasl_mechanism"] = self.mechanism
            found["sasl_plain_username"] = self.username
            found["sasl_plain_password"] = self.password.get_secret_value()
        return found


PLAINTEXT = KafkaSecurity()
"""Nothing is shown and nothing is encrypted, as within one machine."""


@dataclass(frozen=True, slots=True)
class KafkaServers:
    """addresses: some of the brokers, as host:port, separated by commas."""

    addresses: str
    security: KafkaSecurity = PLAINTEXT

    def __str__(self) -> str:
        return self.addresses

    @property
    def pairs(self) -> list[tuple[str, int]]:
        """The brokers' hosts and ports."""
        return [(host, int(port)) for host, _, port in (each.rpartition(":") for each in self.addresses.split(","))]

    def options(self) -> dict[str, Any]:
        """As the parameters of every client of aiokafka."""
        return {"bootstrap_servers": self.addresses, **self.security.options()}


Servers: TypeAlias = KafkaServers | str
"""Addresses alone are those of brokers that let everybody in."""


def kafka_servers(servers: Servers) -> KafkaServers:
    return servers if isinstance(servers, KafkaServers) else KafkaServers(servers)
