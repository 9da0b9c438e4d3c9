"""Settings from the environment: frozen, checked once at start, refused in a sentence that says what would be right."""

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NoReturn, TypeVar, get_args

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.runtime.logging import LogFormat
from shared.wires.settings import KafkaSettings, RedisSettings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

S = TypeVar("S", bound=BaseSettings)


def from_environment(prefix: str) -> SettingsConfigDict:
    """Configure a settings class to read the variables that begin with `prefix`, such as ``SEARCHER_``."""
    return SettingsConfigDict(env_prefix=prefix, frozen=True, extra="ignore", env_ignore_empty=True)


class BadSettings(Exception):
    """A setting is wrong; the text names the variable, its value and what would be right."""


def load(settings: type[S], given: Mapping[str, object] | None = None) -> S:
    """Read the settings from the environment. Raises BadSettings, with one line for each wrong variable.

    given: by variable, what comes before the environment.
    """
    try:
        return settings.model_validate(given or {})
    except ValidationError as error:
        raise BadSettings("\n".join(_sentence(settings, item) for item in error.errors())) from None


def load_or_exit(settings: type[S]) -> S:
    """Read the settings, or end the process with status 2 and one clear sentence."""
    try:
        return load(settings)
    except BadSettings as error:
        exit_for(error)


def exit_for(error: BadSettings) -> NoReturn:
    """End the process with status 2 and what the error says."""
    sys.stderr.write(f"{error}\n")
    raise SystemExit(2) from None


def variable_name(settings: type[BaseSettings], field: str) -> str:
    """The environment variable that a field is read from."""
    info = settings.model_fields.get(field)
    if info and isinstance(info.validation_alias, str):
        return info.validation_alias
    return f"{settings.model_config.get('env_prefix', '')}{field}".upper()


def _sentence(settings: type[BaseSettings], error: "ErrorDetails") -> str:
    if not error["loc"]:  # what is wrong is how several of them go together
        return f"{error['msg'].removeprefix('Value error, ')}."
    location = str(error["loc"][0])
    field = next(
        (name for name, info in settings.model_fields.items() if location in (name, info.validation_alias)), location
    )
    info = settings.model_fields.get(field)
    variable = variable_name(settings, field)
    meaning = info.description if info and info.description else "see docs/configuration.md"
    if error["type"] == "missing":
        return f"{variable} is not set: {meaning}."
    value = re.sub(r"//[^@/]*@", "//…@", repr(error["input"]))  # a password in an address stays out of the logs
    if info and SecretStr in (info.annotation, *get_args(info.annotation)):
        value = "…"
    if error["type"] == "string_pattern_mismatch":
        return f"{variable}={value} cannot be used: it must be {meaning}."
    reason = error["msg"].removeprefix("Value error, ")
    return f"{variable}={value} cannot be used: {reason} ({meaning})."


class LogSettings(BaseSettings):
    """How a process logs: all that one needs to know that talks to nobody."""

    model_config = from_environment("")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", validation_alias="AFTERIMAGE_LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: LogFormat = Field(
        default="text", validation_alias="AFTERIMAGE_LOG_FORMAT", description="text for people, json for machines"
    )


class TracingSettings(BaseSettings):
    """Where traces go, if anywhere. OpenTelemetry's other variables are read by its SDK itself."""

    model_config = from_environment("")

    otlp_endpoint: str | None = Field(
        default=None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        pattern=r"^https?://\S+$",
        description="an OpenTelemetry collector that takes OTLP over HTTP, as http://localhost:4318: turns tracing on, "
        "see docs/tracing.md",
    )
    otlp_protocol: Literal["http/protobuf"] = Field(
        default="http/protobuf",
        validation_alias="OTEL_EXPORTER_OTLP_PROTOCOL",
        description="http/protobuf, which collectors take at port 4318; no other is spoken here",
    )


class ServiceSettings(TracingSettings, RedisSettings, KafkaSettings, LogSettings):
    """Where the service is: what all workers, and the command line, need to know."""

    model_config = from_environment("")

    namespace: str = Field(
        default="",
        validation_alias="AFTERIMAGE_NAMESPACE",
        pattern=r"^[A-Za-z0-9_-]{0,64}$",
        description="letters, digits, _ and -: put before all topic names and Redis keys, to share servers",
    )
    fetch_wait_ms: int = Field(
        default=500,
        ge=1,
        le=60_000,
        validation_alias="KAFKA_FETCH_MAX_WAIT_MS",
        description="longest wait of a fetch that finds nothing; Apache Kafka ends it at once when a record comes, "
        "the embedded broker does not",
    )


class WorkerSettings(ServiceSettings):
    """What every worker process needs to know besides. Each worker's own settings extend it under its own prefix."""

    http_host: str = Field(default="127.0.0.1", description="where /metrics, /livez, /readyz and /docs listen")
    http_port: int = Field(default=8080, ge=1, le=65535, description="the port that they listen on")


class ConsumerSettings(WorkerSettings):
    """What a worker that belongs to a consumer group needs to know besides."""

    instance_id: str | None = Field(
        default=None,
        pattern=r"^[\w.-]{1,200}$",
        description="a name of this process alone, stable over restarts: one that is back within its session timeout "
        "then has its partitions again, and the others notice nothing",
    )
    session_timeout_ms: int = Field(
        default=45_000,
        ge=6_000,
        le=1_800_000,
        validation_alias="KAFKA_SESSION_TIMEOUT_MS",
        description="milliseconds of silence after which Kafka gives an extractor's or indexer's partitions to another",
    )
    max_poll_interval_ms: int = Field(
        default=600_000,
        ge=5_000,
        le=86_400_000,
        validation_alias="KAFKA_MAX_POLL_INTERVAL_MS",
        description="milliseconds after which a worker that asks for no records gives its partitions up; one that "
        "waits for Kafka, Redis or a store goes on asking",
    )
