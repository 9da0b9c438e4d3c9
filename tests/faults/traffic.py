"""Images and queries that come all the while, and what became of every one of them."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from itertools import cycle

from shared.bus.cluster import Cluster
from shared.bus.consumer import Record
from shared.bus.scan import scan
from shared.client import AfterimageClient, NoAnswer, Sent
from shared.events import headers as hdr
from shared.events.search_replies import SearchReply
from shared.events.topics import Topics
from tests.harness.pictures import small_pictures
from tests.harness.service import Service

_UPLOAD_EVERY_S = 0.2
_SEARCH_EVERY_S = 0.05
_BY_IMAGE = 10
"""One query of so many brings an image, the others name one."""
_PICTURES = 200
_KNOWN = "known"


class Traffic:
    """uploads: acknowledged by Kafka. failures: of queries, that is errors, and answers that did not come in time."""

    def __init__(self, service: Service) -> None:
        self.uploads: list[Sent] = []
        self.failures: list[str] = []
        self.queries = 0
        self.longest_s = 0.0
        self._ended = False
        self._bootstrap_servers = service.bootstrap_servers
        self._topics = Topics(service.namespace)
        self._pictures = cycle(list(small_pictures(_PICTURES)))

    @asynccontextmanager
    async def flowing(self, client: AfterimageClient) -> AsyncIterator[None]:
        """Leaving waits for the answers to all queries."""
        self.uploads.append(await client.upload(_KNOWN, data=next(self._pictures)))
        known = (await client.wait_searchable(self.uploads[0], timeout_s=60)).receipt
        async with asyncio.TaskGroup() as under_way:
            under_way.create_task(self._upload(client))
            under_way.create_task(self._search(client, {known.shard: known.position}, under_way))
            yield
            self._ended = True

    async def next_uploads(self, count: int) -> list[Sent]:
        """The next that are sent from now on."""
        known = len(self.uploads)
        while len(self.uploads) < known + count:  # noqa: ASYNC110 - it is the time that passes
            await asyncio.sleep(_UPLOAD_EVERY_S)
        return self.uploads[known : known + count]

    async def replies(self) -> Counter[bytes]:
        """How often each query was answered, by its correlation id."""
        return Counter(
            [
                hdr.last(record.headers, hdr.CORRELATION_ID) or b""
                for record in await self._written(self._topics.replies)
            ]
        )

    async def encodings(self) -> Counter[bytes]:
        """How often each image was encoded, by its id."""
        return Counter([record.key or b"" for record in await self._written(self._topics.features)])

    async def _upload(self, client: AfterimageClient) -> None:
        while not self._ended:
            self.uploads.append(await client.upload(f"image-{len(self.uploads)}", data=next(self._pictures)))
            await asyncio.sleep(_UPLOAD_EVERY_S)

    async def _search(self, client: AfterimageClient, known: dict[int, int], under_way: asyncio.TaskGroup) -> None:
        while not self._ended:
            self.queries += 1
            by_image = self.queries % _BY_IMAGE == 0
            what = {"image": next(self._pictures)} if by_image else {"id": _KNOWN}
            asked = client.search(**what, min_position=known)
            under_way.create_task(self._answered(asked))
            await asyncio.sleep(_SEARCH_EVERY_S)

    async def _answered(self, asked: Coroutine[None, None, SearchReply]) -> None:
        began = time.monotonic()
        try:
            reply = await asked
        except NoAnswer as error:
            self.failures.append(str(error))
        else:
            if reply.error:
                self.failures.append(f"{reply.searcher}: {reply.error.code} {reply.error.message}")
        self.longest_s = max(self.longest_s, time.monotonic() - began)

    async def _written(self, topic: str) -> list[Record]:
        async with Cluster(self._bootstrap_servers) as cluster:
            partitions = await cluster.partitions(topic)
        return [
            record
            for partition in partitions
            async for step in scan(self._bootstrap_servers, topic, partition)
            for record in step.records
        ]
