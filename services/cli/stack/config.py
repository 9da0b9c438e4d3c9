"""What the embedded stack consists of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """One worker process: `python -m module`."""

    name: str
    """Its name in the logs. Several workers may run the same module."""
    module: str
    http_port: int
    """Where it serves /readyz and /metrics; a free port is taken where this one is not."""
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def http_port_variable(self) -> str:
        """The environment variable that tells it its port: SEARCHER_HTTP_PORT for `services.searcher`."""
        return f"{self.module.rpartition('.')[2].upper()}_HTTP_PORT"


WORKERS = (
    WorkerSpec(name="extractor", module="services.extractor", http_port=8081),
    WorkerSpec(name="indexer", module="services.indexer", http_port=8082),
    WorkerSpec(name="searcher", module="services.searcher", http_port=8083),
    WorkerSpec(name="gateway", module="services.gateway", http_port=8084),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig:
    """The user's own servers where they are given, embedded ones where not."""

    bootstrap_servers: str | None = None
    redis_url: str | None = None
    workers: tuple[WorkerSpec, ...] = WORKERS
    broker_port: int = 9092
    redis_port: int = 6379
    worker_start_timeout_s: float = 300.0
    stop_grace_s: float = 15.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, workers: tuple[WorkerSpec, ...] = WORKERS) -> Self:
        """KAFKA_BOOTSTRAP_SERVERS and REDIS_URL replace what is embedded; empty means not given."""
        return cls(
            bootstrap_servers=environment.get("KAFKA_BOOTSTRAP_SERVERS") or None,
            redis_url=environment.get("REDIS_URL") or None,
            workers=workers,
        )
