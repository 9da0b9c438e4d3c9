"""The settings of the wires, which all workers and the command line share."""

from pathlib import Path
from typing import Self

from pydantic import Field, FilePath, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.wires.kafka import KafkaSecurity, KafkaServers, Mechanism, Protocol
from shared.wires.redis import RedisAddress
from shared.wires.tls import TlsFiles

_PLAIN_VARIABLES = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)


class KafkaSettings(BaseSettings):
    """Where Kafka is, and how it lets us in."""

    model_config = _PLAIN_VARIABLES

    kafka_bootstrap_servers: str = Field(
        default="localhost:9092",
        validation_alias="KAFKA_BOOTSTRAP_SERVERS",
        pattern=r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$",
        description="Kafka brokers as host:port, separated by commas",
    )
    kafka_security_protocol: Protocol = Field(
        default="PLAINTEXT",
        validation_alias="KAFKA_SECURITY_PROTOCOL",
        description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, as the brokers' listener has it: security.md",
    )
    kafka_sasl_mechanism: Mechanism = Field(
        default="SCRAM-SHA-512",
        validation_alias="KAFKA_SASL_MECHANISM",
        description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
    )
    kafka_sasl_username: str = Field(
        default="", validation_alias="KAFKA_SASL_USERNAME", description="the user, where the protocol is SASL_…"
    )
    kafka_sasl_password: SecretStr | None = Field(
        default=None, validation_alias="KAFKA_SASL_PASSWORD", description="the user's password"
    )
    kafka_sasl_password_file: FilePath | None = Field(
        default=None,
        validation_alias="KAFKA_SASL_PASSWORD_FILE",
        description="a file that holds the password, in place of the variable",
    )
    kafka_ssl_ca: FilePath | None = Field(
        default=None,
        validation_alias="KAFKA_SSL_CA",
        description="a PEM file of the authorities that vouch for the brokers; the system's, where nothing is said",
    )
    kafka_ssl_certificate: FilePath | None = Field(
        default=None,
        validation_alias="KAFKA_SSL_CERTIFICATE",
        description="a PEM file of our own certificate, where the brokers ask for one (mTLS)",
    )
    kafka_ssl_key: FilePath | None = Field(
        default=None, validation_alias="KAFKA_SSL_KEY", description="a PEM file of that certificate's key"
    )

    @property
    def kafka(self) -> KafkaServers:
        """What every client of Kafka is made with."""
        security = KafkaSecurity(
            protocol=self.kafka_security_protocol,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_sasl_username,
            password=_secret("KAFKA_SASL_PASSWORD", self.kafka_sasl_password, self.kafka_sasl_password_file),
            tls=TlsFiles(ca=self.kafka_ssl_ca, certificate=self.kafka_ssl_certificate, key=self.kafka_ssl_key),
        )
        return KafkaServers(self.kafka_bootstrap_servers, security)

    @model_validator(mode="after")
    def _kafka_fits_together(self) -> Self:
        assert self.kafka  # noqa: S101 - raises what is wrong
        return self


class RedisSettings(BaseSettings):
    """Where Redis is, and how it lets us in."""

    model_config = _PLAIN_VARIABLES

    redis_url: str = Field(
        default="redis://localhost:6379/0",
        validation_alias="REDIS_URL",
        pattern=r"^(redis|rediss|unix)://\S+$",
        description="Redis as redis://host:port/db, rediss:// for TLS, or unix://path",
    )
    redis_username: str = Field(
        default="",
        validation_alias="REDIS_USERNAME",
        description="the user of Redis, where the URL names none: security.md",
    )
    redis_password: SecretStr | None = Field(
        default=None, validation_alias="REDIS_PASSWORD", description="the user's password, where it is not in the URL"
    )
    redis_password_file: FilePath | None = Field(
        default=None,
        validation_alias="REDIS_PASSWORD_FILE",
        description="a file that holds the password, in place of the variable",
    )
    redis_ssl_ca: FilePath | None = Field(
        default=None,
        validation_alias="REDIS_SSL_CA",
        description="a PEM file of authorities that vouch for Redis, besides the system's",
    )
    redis_ssl_certificate: FilePath | None = Field(
        default=None,
        validation_alias="REDIS_SSL_CERTIFICATE",
        description="a PEM file of our own certificate, where Redis asks for one",
    )
    redis_ssl_key: FilePath | None = Field(
        default=None, validation_alias="REDIS_SSL_KEY", description="a PEM file of that certificate's key"
    )

    @property
    def redis(self) -> RedisAddress:
        """What every client of Redis is made with."""
        return RedisAddress(
            url=self.redis_url,
            username=self.redis_username,
            password=_secret("REDIS_PASSWORD", self.redis_password, self.redis_password_file),
            tls=TlsFiles(ca=self.redis_ssl_ca, certificate=self.redis_ssl_certificate, key=self.redis_ssl_key),
        )

    @model_validator(mode="after")
    def _redis_fits_together(self) -> Self:
        assert self.redis  # noqa: S101 - raises what is wrong
        return self


def _secret(variable: str, given: SecretStr | None, file: Path | None) -> SecretStr | None:
    """Raises ValueError where there are two, or none in the file."""
    if file is None:
        return given
    if given is not None:
        raise ValueError(f"{variable} and {variable}_FILE are both set: leave one away")
    try:
        found = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{variable}_FILE={file} cannot be read: {error}") from error
    if not found:
        raise ValueError(f"{variable}_FILE={file} is empty")
    return SecretStr(found)
