"""Images that come all the while, and which of them Kafka has taken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.bus.faults import BusUnavailable
from shared.client import AfterimageClient, NoAnswer, Sent
from tests.harness.pictures import small_pictures

_EVERY_S = 0.2
_PICTURES = 100_000
_ATTEMPT_S = 5.0
_SEARCHES = 16
"""So many in a row go to every partition of the requests, and so to every searcher."""


class LostError(Exception):
    """What was acknowledged is not found."""


class Uploads:
    """acknowledged: every image that Kafka has taken, by its id. refused: how often it took none, since it was away."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, Sent] = {}
        self.refused = 0
        self._pictures = small_pictures(_PICTURES)  # each another, so that none hides another among the hits
        self._number = 0

    @asynccontextmanager
    async def flowing(self, client: AfterimageClient) -> AsyncIterator[None]:
        task = asyncio.create_task(self._flow(client))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def more(self, count: int) -> None:
        """Return when so many more are acknowledged."""
        enough = len(self.acknowledged) + count
        while len(self.acknowledged) < enough:  # noqa: ASYNC110 - it is the time that passes
            await asyncio.sleep(_EVERY_S)

    async def upload(self, client: AfterimageClient) -> Sent:
        """One more. Raises BusUnavailable."""
        self._number += 1
        sent = await client.upload(f"upload-{self._number}", data=next(self._pictures))
        self.acknowledged[sent.id] = sent
        return sent

    async def until_all_works(self, client: AfterimageClient) -> None:
        """Until a new image is searchable, and every searcher finds it."""
        while not await self._all_works(client):  # noqa: ASYNC110 - others answer, not we
            await asyncio.sleep(_EVERY_S)

    async def check_all_found(self, client: AfterimageClient, *, timeout_s: float = 120) -> None:
        """Raises LostError, naming those that are not found in time."""
        missing = list(self.acknowledged)
        try:
            async with asyncio.timeout(timeout_s):
                while missing := [each for each in missing if not await found(client, each)]:  # noqa: ASYNC110
                    await asyncio.sleep(_EVERY_S)
        except TimeoutError:
            raise LostError(f"acknowledged, and not found: {', '.join(missing)}") from None

    async def _flow(self, client: AfterimageClient) -> None:
        while True:
            try:
                await self.upload(client)
            except BusUnavailable:
                self.refused += 1
            await asyncio.sleep(_EVERY_S)

    async def _all_works(self, client: AfterimageClient) -> bool:
        try:
            async with asyncio.timeout(_ATTEMPT_S):
                sent = await self.upload(client)
            receipt = (await client.wait_searchable(sent, timeout_s=_ATTEMPT_S)).receipt
            known = {receipt.shard: receipt.position}
            asked = (client.search(id=sent.id, min_position=known, timeout_s=_ATTEMPT_S) for _ in range(_SEARCHES))
            replies = await asyncio.gather(*asked)
        except (BusUnavailable, NoAnswer, TimeoutError):
            return False
        return all(reply.error is None and reply.hits[0].id == sent.id for reply in replies)


async def found(client: AfterimageClient, image_id: str) -> bool:
    """Whether it is found by its id, and is itself what looks most like it."""
    try:
        reply = await client.search(id=image_id, top_k=3)
    except (BusUnavailable, NoAnswer):
        return False
    return reply.error is None and any(hit.id == image_id for hit in reply.hits)
