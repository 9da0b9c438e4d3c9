"""An image index in memory, and a gateway in front of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
from msgspec import UNSET, UnsetType
from starlette.types import ASGIApp

from services.gateway.access.admission import AdmissionPolicy
from services.gateway.access.key_ring import KeyRing
from services.gateway.access.rate import RateLimit
from services.gateway.app import Access, make_gateway
from services.gateway.live.arrivals import Arrival
from services.gateway.live.live import Live
from services.gateway.live.progress import Progress
from shared.client import BusUnavailable, NoAnswer, Searchable, Sent, UploadRejected
from shared.events.images import Attributes, SourcePosition, check_id
from shared.events.receipts import Effect, Receipt
from shared.events.rejects import Reject
from shared.events.search_replies import (
    Coverage,
    ErrorCode,
    Explanation,
    Hit,
    SearchFailure,
    SearchReply,
    SegmentSearch,
)
from shared.events.search_requests import SearchRequest
from shared.events.upload_forms import UploadImage, checked_upload
from shared.runtime.server import Stop


class FakeIndex:
    """Implements ImageIndex. Everything that is indexed looks like everything else."""

    def __init__(self) -> None:
        self.images: dict[str, UploadImage] = {}
        self.searches: list[SearchRequest] = []
        self.timeouts: list[float] = []
        """Of each search, in seconds."""
        self.reads_text = True
        self.coverage: Coverage | UnsetType = UNSET
        """Of every answer: all shards, where it is not set."""
        self.reject: Reject | None = None
        """What becomes of every upload, where it is set."""
        self.failure: SearchFailure | None = None
        """What every search is answered, where it is set."""
        self.lags = False
        """Whether events take longer to take effect than anybody waits."""
        self.unavailable = False
        self.open = asyncio.Event()
        """Searches are answered while it is set."""
        self.open.set()
        self.deaf: str | None = None
        """Why answers are no longer heard."""
        self._offset = 6
        self._sent_events: dict[SourcePosition, Sent] = {}

    def not_hearing(self) -> str | None:
        return self.deaf

    async def upload(
        self,
        image_id: str,
        *,
        uri: str | None = None,
        data: bytes | None = None,
        attributes: Attributes | None = None,
        occurred_at: datetime | None = None,
    ) -> Sent:
        upload = checked_upload(
            image_id=image_id, uri=uri, data=data, attributes=attributes or {}, occurred_at=occurred_at
        )
        sent = self._sent(image_id)
        self.images[image_id] = upload
        return sent

    async def delete(self, image_id: str) -> Sent:
        sent = self._sent(check_id(image_id))
        self.images.pop(image_id, None)
        return sent

    async def find_sent(self, place: SourcePosition) -> Sent | None:
        return self._sent_events.get(place)

    async def wait_searchable(self, sent: Sent, *, timeout_s: float) -> Searchable:
        if self.lags:
            raise NoAnswer(f"nothing within {timeout_s} s")
        if self.reject:
            raise UploadRejected(sent.id, self.reject)
        receipt = Receipt(
            id=sent.id,
            effect=Effect.INDEXED if sent.id in self.images else Effect.DELETED,
            shard=1,
            position=40,
            source_partition=sent.source.partition,
            source_offset=sent.source.offset,
            uploaded_at=0,
            indexed_at=0,
        )
        return Searchable(receipt, after_s=0.25)

    async def ask(self, request: SearchRequest, *, timeout_s: float) -> SearchReply:
        self.searches.append(request)
        self.timeouts.append(timeout_s)
        await self.open.wait()
        if request.batch is None:
            return self._answer(request)
        return SearchReply(batch=[self._answer(each) for each in request.batch])

    def _answer(self, request: SearchRequest) -> SearchReply:
        positions = {0: 3, 1: 40}
        if request.text and not self.reads_text:
            failure = SearchFailure(code=ErrorCode.UNSUPPORTED, message="the encoder knows no text")
            return SearchReply(error=failure)
        if request.id == "nobody":
            return SearchReply(error=SearchFailure(code=ErrorCode.UNKNOWN_ID, message="nobody is not indexed"))
        if self.failure:
            return SearchReply(error=self.failure, positions=positions)
        hits = [
            Hit(id=found.id, score=1.0, uri=found.uri, attributes=found.attributes)
            for found in self._found(request.top_k)
        ]
        walked = SegmentSearch(shard=1, segment="s", rows=9, way="walk", compared=4)
        explanation = Explanation(expansion=384, segments=[walked]) if request.explain else UNSET
        return SearchReply(
            hits=hits, positions=positions, scheme="f16:0123", explanation=explanation, coverage=self.coverage
        )

    def _found(self, top_k: int) -> list[UploadImage]:
        return list(self.images.values())[:top_k]

    def _sent(self, image_id: str) -> Sent:
        if self.unavailable:
            raise BusUnavailable("writing to images.uploaded: no broker")
        self._offset += 1
        outcome = asyncio.get_running_loop().create_future()
        sent = Sent(image_id, SourcePosition(offset=self._offset, partition=1), sent_at=0.0, outcome=outcome)
        self._sent_events[sent.source] = sent
        return sent


def open_to_all(
    *, max_in_flight: int = 8, each: int = 8, ring: KeyRing | None = None, rate: RateLimit | None = None
) -> Access:
    """So many requests at once, of one caller too, and as many a second as one likes where nothing else is said."""
    return Access(
        admission=AdmissionPolicy(max_in_flight=max_in_flight, max_in_flight_each=each),
        rate=rate or RateLimit(per_s=1e6, burst=1e6),
        ring=ring,
    )


def quiet() -> Live:
    """Nothing arrives, and nothing waits."""

    @asynccontextmanager
    async def hear(_receive: Callable[[Arrival], None]) -> AsyncIterator[None]:
        yield

    async def ask() -> Progress:
        return Progress(to_extract=0, to_index=0, shards=[])

    return Live(hear, ask)


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """Start the application as a server would; gives a client of it."""
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[Any] = asyncio.Queue()
    lifespan = asyncio.create_task(app({"type": "lifespan", "state": {}}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    assert (await from_app.get())["type"] == "lifespan.startup.complete"
    try:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await lifespan


@asynccontextmanager
async def gateway(
    index: FakeIndex, *, access: Access | None = None, live: Live | None = None, stop: Stop | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that has found its index."""

    @asynccontextmanager
    async def open_index() -> AsyncIterator[FakeIndex]:
        yield index

    app = make_gateway(open_index, stop or Stop(), live=live or quiet(), access=access or open_to_all())
    async with serving(app) as client:
        await until_ready(client)
        yield client


async def until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - a probe is asked, it does not call
            await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Let the other tasks run until it holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the code under test raises no event for it
            await asyncio.sleep(0)
