"""Real servers and real workers for one run, gone afterwards whatever happens."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.bare import BATCH
from benchmarks.table import say
from shared.bus.cluster import Cluster
from shared.events.topics import Topics, TopicSpec
from tests.harness.choice import choose_broker
from tests.harness.daemon import session_reaper
from tests.harness.redis import RedisServer
from tests.harness.workers import WorkerProcess

PARTITIONS = 4
"""What `afterimage up` creates."""


class Stack:
    """A broker with the topics, a Redis, and the workers as far as they are started."""

    def __init__(
        self,
        *,
        bootstrap_servers: str,
        redis_url: str,
        threads: int,
        folder: Path,
        env: Mapping[str, str],
        stack: ExitStack,
    ) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.redis_url = redis_url
        self.topics = Topics()
        self.folder = folder
        self._threads = threads
        self._env = env
        self._stack = stack

    def start(self, *workers: str) -> list[WorkerProcess]:
        """Start workers side by side, and return when all are ready."""
        say(f"starting {', '.join(workers)}")
        processes = [self._worker(worker) for worker in workers]
        for process in processes:
            self._stack.callback(process.stop)
            process.spawn()
        for process in processes:
            process.wait_ready()
        return processes

    def _worker(self, worker: str) -> WorkerProcess:
        prefix = worker.upper()
        encoding = {f"{prefix}_THREADS": str(self._threads), f"{prefix}_MAX_BATCH": str(BATCH)}
        return WorkerProcess(
            worker,
            bootstrap_servers=self.bootstrap_servers,
            redis_url=self.redis_url,
            folder=self.folder,
            # The same few photos come again and again, and are to be encoded each time.
            env={"AFTERIMAGE_NAMESPACE": "", "EXTRACTOR_CACHE_IMAGES": "0", **encoding, **self._env},
            warm=False,
        )


@contextmanager
def running_stack(
    threads: int,
    *,
    topics: Sequence[TopicSpec] = (),
    env: Mapping[str, str] | None = None,
    partitions: int = PARTITIONS,
) -> Iterator[tuple[Stack, str]]:
    """Servers and topics, no worker yet; and what the broker is, for the output.

    topics: to be there beside the service's own. env: of the workers, beside what they need to find the servers.
    partitions: of the service's topics.
    """
    choice = choose_broker()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="afterimage-bench-")))
        session_reaper().adopt_folder(folder)
        broker = choice.make(folder / "kafka")
        say(f"starting {broker.title}, and Redis")
        stack.enter_context(broker)
        redis = stack.enter_context(RedisServer(folder))
        asyncio.run(_create_topics(broker.bootstrap_servers, [*Topics().specs(partitions), *topics]))
        yield (
            Stack(
                bootstrap_servers=broker.bootstrap_servers,
                redis_url=redis.url,
                threads=threads,
                folder=folder,
                env=env or {},
                stack=stack,
            ),
            choice.warning() or broker.title,
        )


async def _create_topics(bootstrap_servers: str, topics: Sequence[TopicSpec]) -> None:
    async with Cluster(bootstrap_servers) as cluster:
        await cluster.create_topics(topics)
