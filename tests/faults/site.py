"""A place where things go wrong: an indexer and two searchers on servers of their own, and what can be done to each."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from shared.client import AfterimageClient
from tests.faults.features import Features
from tests.harness.disk import SmallDisk
from tests.harness.kafka import KafkaBroker
from tests.harness.pictures import small_pictures
from tests.harness.proxy import FaultyProxy
from tests.harness.redis import RedisServer
from tests.harness.service import Indexing
from tests.harness.workers import WorkerProcess

_DISK_MIB = 64
_OLD = 50_000
"""Operations, all of which are read again whenever a site is judged."""


class Impossible(Exception):
    """This machine cannot have that fault; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """proxy: through it the last searcher reaches Redis. spare: a second indexer, which does not run.

    store: the folder of the segments, as seen from here. patience: how many times as long as promised something may
    take; more than once where the site shares its machine with other work.
    """

    kafka: KafkaBroker
    redis: RedisServer
    proxy: FaultyProxy
    service: Indexing
    spare: WorkerProcess
    features: Features
    store: Path
    patience: float
    _disk: SmallDisk | None

    @property
    def disk(self) -> SmallDisk:
        """The one that the store is on. Raises Impossible."""
        if self._disk is None:
            raise Impossible(SmallDisk.why_not())
        return self._disk

    def client(self) -> AfterimageClient:
        return AfterimageClient(self.service.bootstrap_servers, namespace=self.service.namespace)


@contextmanager
def open_site(folder: Path, *, patience: float = 1.0) -> Iterator[Site]:
    """Start all of it. It seals soon, and its log in Redis is short, so that a few seconds go through everything."""
    with ExitStack() as stack:
        kafka = KafkaBroker(folder / "kafka")
        kafka.spawn()
        stack.callback(kafka.stop)
        (folder / "redis").mkdir()
        redis = stack.enter_context(RedisServer(folder / "redis"))
        proxy = stack.enter_context(FaultyProxy(redis.port))
        disk = None if SmallDisk.why_not() else stack.enter_context(SmallDisk(folder / "disk", mib=_DISK_MIB))
        store = (disk.folder if disk else folder) / "store"
        kafka.wait_ready()
        service = stack.enter_context(
            Indexing(
                bootstrap_servers=kafka.bootstrap_servers,
                redis_url=redis.url,
                namespace="site",
                folder=folder,
                searchers=2,
                env={
                    "AFTERIMAGE_SEGMENT_STORE": str(store),
                    "INDEXER_SEAL_ROWS": "100",
                    "INDEXER_LOG_WINDOW": "1000",
                    "KAFKA_SESSION_TIMEOUT_MS": "6000",
                },
                env_of={"searcher-1": {"REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0"}},
                prefix=disk.prefix if disk else (),
            )
        )
        spare = service.worker("indexer", "indexer-spare")
        stack.callback(spare.stop)
        yield Site(
            kafka=kafka,
            redis=redis,
            proxy=proxy,
            service=service,
            spare=spare,
            features=Features(
                kafka.bootstrap_servers, namespace=service.namespace, scheme=asyncio.run(_scheme_of(service))
            ),
            store=(disk.seen_from_here if disk else folder) / "store",
            patience=patience,
            _disk=disk,
        )


class Sites:
    """The same site again and again, until it is given up or old; each in a folder of its own, below `folder`."""

    def __init__(self, folder: Path, *, patience: float = 1.0) -> None:
        """patience: of each site."""
        self._patience = patience
        self._folders = (folder / f"site-{number}" for number in count())
        self._stack = ExitStack()
        self._site: Site | None = None

    def whole(self) -> Site:
        if self._site is not None and self._site.features.operations > _OLD:
            self.close()
        if self._site is None:
            folder = next(self._folders)
            folder.mkdir()
            self._site = self._stack.enter_context(open_site(folder, patience=self._patience))
        return self._site

    def close(self) -> None:
        """Give up the site that there is."""
        self._site = None
        self._stack.close()


async def _scheme_of(service: Indexing) -> str:
    """That of the searchers, who name it in every answer."""
    async with AfterimageClient(service.bootstrap_servers, namespace=service.namespace) as client:
        reply = await client.search(image=next(small_pictures(1)))
    assert reply.scheme, reply
    return reply.scheme
