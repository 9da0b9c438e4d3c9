"""An extractor alone, in a namespace of its own, and what becomes of the uploads that it is sent."""

import asyncio
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from shared.bus.cluster import Cluster
from shared.bus.consumer import Record
from shared.bus.producer import RecordProducer
from shared.bus.scan import scan
from shared.events.rejects import read_reject
from shared.events.topics import Topics
from shared.events.upload_forms import UploadImage
from shared.events.uploads import write_native
from tests.harness.workers import WorkerProcess

_POLL_S = 0.3


@dataclass(frozen=True)
class Outcomes:
    """How often each image was encoded, and for which reasons it was rejected."""

    encoded: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, list[str]] = field(default_factory=dict)

    @property
    def ids(self) -> set[str]:
        return self.encoded.keys() | self.rejected.keys()


class Extraction:
    """bootstrap_servers: where the test reaches Kafka. through: where the extractor does, if elsewhere."""

    def __init__(
        self,
        *,
        bootstrap_servers: str,
        namespace: str,
        folder: Path,
        env: Mapping[str, str] | None = None,
        through: str | None = None,
    ) -> None:
        self.topics = Topics(namespace)
        self._bootstrap_servers = bootstrap_servers
        self.worker = WorkerProcess(
            "extractor",
            bootstrap_servers=through or bootstrap_servers,
            redis_url="redis://127.0.0.1:1",
            folder=folder,
            env={"AFTERIMAGE_NAMESPACE": namespace, "EXTRACTOR_THREADS": "1", **(env or {})},
        )

    async def create_topics(self) -> None:
        async with Cluster(self._bootstrap_servers) as cluster:
            await cluster.create_topics(self.topics.specs(1))

    async def send(self, uploads: Sequence[UploadImage]) -> None:
        async with RecordProducer(self._bootstrap_servers, client_id="test", linger_ms=20) as producer:
            sends = (
                producer.send(self.topics.uploaded, key=upload.id.encode(), value=write_native(upload))
                for upload in uploads
            )
            await asyncio.gather(*sends)

    async def outcomes(self) -> Outcomes:
        """What is written by now."""
        rejected: dict[str, list[str]] = {}
        for record in await self._read(self.topics.rejected):
            reject = read_reject(record.headers)
            assert reject is not None
            rejected.setdefault((record.key or b"").decode(), []).append(reject.reason)
        encoded = Counter((record.key or b"").decode() for record in await self._read(self.topics.features))
        return Outcomes(encoded, rejected)

    async def all_dealt_with(self, count: int) -> Outcomes:
        """What became of the uploads, once so many of them have an outcome."""
        while len((found := await self.outcomes()).ids) < count:  # noqa: ASYNC110 - what another process writes
            await asyncio.sleep(_POLL_S)
        return found

    async def committed(self) -> int:
        """The offset from which a restart goes on."""
        async with Cluster(self._bootstrap_servers) as cluster:
            offsets = await cluster.committed(self.topics.group("extractor"), self.topics.uploaded)
        return offsets.get(0, 0)

    async def gauge(self, name: str) -> float:
        """The value of a metric without labels."""
        text = await asyncio.to_thread(_read_url, f"{self.worker.url}/metrics")
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))

    async def reached(self, name: str, value: float) -> None:
        """Wait until the metric has the value."""
        while await self.gauge(name) != value:  # noqa: ASYNC110 - another process's
            await asyncio.sleep(_POLL_S)

    def log(self) -> str:
        return self.worker.log.read_text(encoding="utf-8")

    async def _read(self, topic: str) -> list[Record]:
        return [record async for step in scan(self._bootstrap_servers, topic, 0) for record in step.records]


def _read_url(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the worker's own address
        return str(answer.read().decode())
