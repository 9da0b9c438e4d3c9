"""The whole service on a broker and a Redis that a test has: its topics and its workers."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.bus.cluster import Cluster
from shared.events.topics import Topics
from tests.harness.workers import QUICK_TO_START, WorkerProcess

PHOTOS = Path(__file__).parents[1] / "data" / "photos"


class Service:
    """Extractor, indexer and searchers, in a namespace of their own. Use as a context manager.

    They are static members of their groups, as a deployment's should be: after a crash and a restart each has its
    partitions back at once.
    """

    def __init__(
        self,
        *,
        bootstrap_servers: str,
        redis_url: str,
        namespace: str,
        folder: Path,
        partitions: int = 2,
        searchers: int = 1,
        env: Mapping[str, str] | None = None,
        env_of: Mapping[str, Mapping[str, str]] | None = None,
        prefix: Sequence[str] = (),
        warm: bool = True,
    ) -> None:
        """env: of all workers. env_of: by the name of a worker, of that one besides. prefix: what runs their commands.

        warm: their memory is shared in part, for they are forked from a process that has imported what they need.

        The extractor is named so, and the indexer; searchers have numbers, as `searcher-0`.
        """
        self.bootstrap_servers = bootstrap_servers
        self.redis_url = redis_url
        self.namespace = namespace
        self.partitions = partitions
        self._folder = folder
        self._env = {"AFTERIMAGE_FILE_ROOTS": str(PHOTOS), **QUICK_TO_START, **(env or {})}
        self._env_of = env_of or {}
        self._prefix = prefix
        self._warm = warm
        self.extractor = self.worker("extractor", "extractor")
        self.indexer = self.worker("indexer", "indexer")
        self.searchers = [self.worker("searcher", f"searcher-{number}") for number in range(searchers)]

    @property
    def workers(self) -> list[WorkerProcess]:
        return [self.extractor, self.indexer, *self.searchers]

    @property
    def environment(self) -> dict[str, str]:
        """What a command line needs to find the service."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "REDIS_URL": self.redis_url,
            "AFTERIMAGE_NAMESPACE": self.namespace,
        }

    def __enter__(self) -> Self:
        asyncio.run(self._create_topics())
        for worker in self.workers:
            worker.spawn()
        try:
            for worker in self.workers:
                worker.wait_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    async def _create_topics(self) -> None:
        async with Cluster(self.bootstrap_servers) as cluster:
            await cluster.create_topics(Topics(self.namespace).specs(self.partitions))

    def _stop(self) -> None:
        """All at the same time: each takes seconds to leave its group."""
        with ThreadPoolExecutor() as threads:
            list(threads.map(WorkerProcess.stop, self.workers))

    def worker(self, module: str, name: str, *, env: Mapping[str, str] | None = None) -> WorkerProcess:
        """One more, which is the caller's to start and to stop. env: of this one alone."""
        prefix = module.upper()
        own = {f"{prefix}_INSTANCE_ID": name, f"{prefix}_THREADS": "1", "SEARCHER_NAME": name}
        return WorkerProcess(
            module,
            bootstrap_servers=self.bootstrap_servers,
            redis_url=self.redis_url,
            folder=self._folder,
            env={
                **self._env,
                **own,
                "AFTERIMAGE_NAMESPACE": self.namespace,
                **self._env_of.get(name, {}),
                **(env or {}),
            },
            name=name,
            prefix=self._prefix,
            warm=self._warm,
        )


class Indexing(Service):
    """Indexer and searchers alone: the features are written by the test."""

    @property
    def workers(self) -> list[WorkerProcess]:
        return [self.indexer, *self.searchers]
