"""Settings from the environment: frozen, checked once at start, refused in a sentence that says what would be right."""

import sys
from typing import Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.runtime.logging import LogFormat

S = TypeVar("S", bound=BaseSettings)


def from_environment(prefix: str) -> SettingsConfigDict:
    """Configure a settings class to read the variables that begin with `prefix`, such as ``SEARCHER_``."""
    return SettingsConfigDict(env_prefix=prefix, frozen=True, extra="ignore", env_ignore_empty=True)


class BadSettings(Exception):
    """A setting is wrong; the text names the variable, its value and what would be right."""


def load(settings: type[S]) -> S:
    """Read the settings from the environment. Raises BadSettings, with one line for each wrong variable."""
    try:
        return settings()
    except ValidationError as error:
        raise BadSettings("\n".join(_sentence(settings, item) for item in error.errors())) from None


def load_or_exit(settings: type[S]) -> S:
    """Read the settings, or end the process with status 2 and one clear sentence."""
    try:
        return load(settings)
    except BadSettings as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


def _sentence(settings: type[BaseSettings], item: object) -> str:
    assert isinstance(item, dict)  # noqa: S101 - pydantic's ErrorDetails is a TypedDict
    field = str(item["loc"][0]) if item["loc"] else ""
    info = settings.model_fields.get(field)
    alias = info.validation_alias if info and isinstance(info.validation_alias, str) else None
    variable = alias or f"{settings.model_config.get('env_prefix', '')}{field}".upper()
    meaning = f" ({info.description})" if info and info.description else ""
    if item["type"] == "missing":
        return f"{variable} is not set{meaning}."
    reason = str(item["msg"]).removeprefix("Value error, ")
    return f"{variable}={item['input']!r} cannot be used: {reason}{meaning}."


class WorkerSettings(BaseSettings):
    """What every worker needs to know. Each worker's own settings extend it under its own prefix."""

    model_config = from_environment("")

    kafka_bootstrap_servers: str = Field(
        default="localhost:9092",
        validation_alias="KAFKA_BOOTSTRAP_SERVERS",
        pattern=r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$",
        description="Kafka brokers as host:port, separated by commas",
    )
    redis_url: str = Field(
        default="redis://localhost:6379/0",
        validation_alias="REDIS_URL",
        pattern=r"^(redis|rediss|unix)://\S+$",
        description="Redis as redis://host:port/db, rediss:// for TLS, or unix://path",
    )
    namespace: str = Field(
        default="",
        validation_alias="AFTERIMAGE_NAMESPACE",
        pattern=r"^[A-Za-z0-9_-]{0,64}$",
        description="put before all topic names and Redis keys, so that deployments can share servers",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", validation_alias="AFTERIMAGE_LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: LogFormat = Field(
        default="text", validation_alias="AFTERIMAGE_LOG_FORMAT", description="text for people, json for machines"
    )
    http_host: str = Field(default="127.0.0.1", description="where /metrics, /livez, /readyz and /docs listen")
    instance_id: str | None = Field(
        default=None,
        pattern=r"^[\w.-]{1,200}$",
        description="a name of this process alone, stable over restarts: a restart then keeps its partitions",
    )
    session_timeout_ms: int = Field(
        default=45_000,
        ge=6_000,
        le=1_800_000,
        validation_alias="KAFKA_SESSION_TIMEOUT_MS",
        description="milliseconds of silence after which Kafka gives a worker's partitions to another",
    )
