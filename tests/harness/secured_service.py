"""The whole service on servers that ask everybody who they are."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from tests.harness.command_line import afterimage
from tests.harness.credentials import Credentials
from tests.harness.secured_kafka import SecuredKafka
from tests.harness.secured_redis import SecuredRedis
from tests.harness.service import Service
from tests.harness.workers import WorkerProcess

WORKERS = {"extractor": "extractor", "indexer": "indexer", "searcher-0": "searcher", "gateway": "gateway"}
"""By their names, as whom they come."""


class SecuredService(Service):
    """Each worker with its own user, and a gateway besides; its topics are made by the operator."""

    def __init__(
        self,
        kafka: SecuredKafka,
        redis: SecuredRedis,
        credentials: Credentials,
        *,
        by: Literal["password", "certificate"],
        folder: Path,
        env: Mapping[str, str],
    ) -> None:
        """by: what they show to Kafka."""
        self._shown = credentials.by_password if by == "password" else credentials.by_certificate
        super().__init__(
            bootstrap_servers=kafka.by_password if by == "password" else kafka.by_certificate,
            redis_url=redis.url,
            namespace=credentials.namespace,
            folder=folder,
            env=env,
            env_of={name: self._shown(user) for name, user in WORKERS.items()},
        )
        self.gateway = self.worker("gateway", "gateway")

    @property
    def workers(self) -> list[WorkerProcess]:
        return [*super().workers, self.gateway]

    async def _create_topics(self) -> None:
        await asyncio.to_thread(self.run, "topics", "--partitions", str(self.partitions))

    def run(self, *arguments: str, user: str = "operator", status: int = 0) -> str:
        """What `afterimage` prints, run as one of the users."""
        done = afterimage(arguments, {**self.environment, **self._env, **self._shown(user)})
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stdout + done.stderr
