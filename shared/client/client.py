"""The client: upload, delete and search over Kafka, and know when it has taken effect."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self, Unpack

from shared.bus import tracing as bus_tracing
from shared.bus.consumer import Record
from shared.bus.inbox import Inbox
from shared.bus.producer import RecordProducer
from shared.bus.ungrouped import FETCH_WAIT_MS
from shared.client.outcomes import Outcomes
from shared.client.query import Query, request_of
from shared.client.searches import NoAnswer, Searches
from shared.client.sent import Sent, SentEvents, fact_of
from shared.events import headers as hdr
from shared.events.images import Attributes, SourcePosition, check_id, source_from_headers
from shared.events.receipts import Receipt
from shared.events.rejects import Reject, redrive_headers
from shared.events.search_replies import SearchReply
from shared.events.search_requests import SearchRequest
from shared.events.topics import Topics
from shared.events.upload_forms import checked_upload
from shared.events.uploads import write_native
from shared.wires.kafka import PLAINTEXT, KafkaSecurity, KafkaServers

DEFAULT_TIMEOUT_S = 10.0
MAX_IN_FLIGHT = 256


class UploadRejected(Exception):
    """The upload was rejected; `reject` says why."""

    def __init__(self, image_id: str, reject: Reject) -> None:
        super().__init__(f"{image_id}: {reject.reason} ({reject.detail})")
        self.image_id = image_id
        self.reject = reject


@dataclass(frozen=True, slots=True)
class Searchable:
    """An event that has taken effect. after_s: seconds from handing it over to hearing of it."""

    receipt: Receipt
    after_s: float


class AfterimageClient:
    """Talks to Afterimage over Kafka. Use as an async context manager; safe to share between tasks of one loop.

    Raises BusUnavailable on entering where no broker answers. Searches in flight are bounded: more of
    them wait their turn.
    """

    def __init__(
        self,
        bootstrap_servers: str = "localhost:9092",
        *,
        security: KafkaSecurity = PLAINTEXT,
        namespace: str = "",
        max_in_flight: int = MAX_IN_FLIGHT,
        fetch_wait_ms: int = FETCH_WAIT_MS,
    ) -> None:
        """security: what is shown to the brokers.

        fetch_wait_ms: how long Kafka may keep a fetch that finds nothing; the embedded broker needs it short.
        """
        self._topics = Topics(namespace)
        self._servers = KafkaServers(bootstrap_servers, security)
        self._max_in_flight = max_in_flight
        self._fetch_wait_ms = fetch_wait_ms
        self._outcomes = Outcomes()
        self._sent = SentEvents(self._servers, self._topics, self._outcomes)
        self._stack = AsyncExitStack()
        self._inboxes: list[Inbox] = []
        self._producer: RecordProducer
        self._searches: Searches

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._producer = await stack.enter_async_context(
                RecordProducer(self._servers, client_id="afterimage-client")
            )
            mine = random.randrange(await self._producer.partitions(self._topics.replies))  # noqa: S311 - no secret
            self._searches = Searches(
                self._producer, self._topics, reply_partition=mine, max_in_flight=self._max_in_flight
            )
            await stack.enter_async_context(self._inbox({self._topics.replies: [mine]}, self._searches.hear))
            outcomes = {
                topic: range(await self._producer.partitions(topic))
                for topic in (self._topics.indexed, self._topics.rejected)
            }
            await stack.enter_async_context(self._inbox(outcomes, self._on_outcome))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def upload(
        self,
        image_id: str,
        *,
        uri: str | None = None,
        data: bytes | None = None,
        attributes: Attributes | None = None,
        occurred_at: datetime | None = None,
    ) -> Sent:
        """Hand an image over, by reference or inline (up to 256 KiB); returns when Kafka has it.

        Raises PoisonInput where the event itself is wrong, BusUnavailable.
        """
        event = checked_upload(
            image_id=image_id, uri=uri, data=data, attributes=attributes or {}, occurred_at=occurred_at
        )
        return await self._send(
            event.id,
            key=event.id.encode(),
            value=write_native(event),
            headers=[(hdr.CONTENT_TYPE, hdr.JSON.encode())],
        )

    async def delete(self, image_id: str) -> Sent:
        """Ask for an image to be forgotten; returns when Kafka has the request.

        Raises PoisonInput where the id cannot be one, BusUnavailable.
        """
        return await self._send(check_id(image_id), key=image_id.encode(), value=None)

    async def redrive(self, record: Record, reject: Reject) -> Sent:
        """Send a rejected event through again, as it was: it keeps its time, and its place among the events of its id.

        record: of `images.rejected`; reject: what its headers say. Raises BusUnavailable.
        """
        key: bytes | None = record.key
        self._outcomes.forget(reject.source)
        return await self._send(
            (key or b"").decode(errors="replace"),
            key=key,
            value=record.value,
            headers=redrive_headers(record.headers),
            partition=reject.source.partition,
            timestamp_ms=reject.uploaded_at,
        )

    async def wait_searchable(self, sent: Sent, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> Searchable:
        """Wait until an event has taken effect. Raises UploadRejected, and NoAnswer after `timeout_s`.

        To read one's own write, search with `min_position={receipt.shard: receipt.position}`.
        """
        try:
            async with asyncio.timeout(timeout_s):
                outcome = await asyncio.shield(sent.outcome)
        except TimeoutError:
            raise NoAnswer(
                f"{sent.id} was neither indexed nor rejected within {timeout_s} s: `afterimage status` tells what lags"
            ) from None
        if isinstance(outcome.fact, Reject):
            raise UploadRejected(sent.id, outcome.fact)
        return Searchable(outcome.fact, outcome.heard_at - sent.sent_at)

    async def find_sent(self, place: SourcePosition) -> Sent | None:
        """The event at a place on the upload topic, such as another process has got from `upload`, to wait for it here.

        None where none is there that names one image by its key, or where receipts of that age are kept no more.
        Raises BusUnavailable.
        """
        return await self._sent.find(place, self._producer)

    async def search(self, *, timeout_s: float = DEFAULT_TIMEOUT_S, **query: Unpack[Query]) -> SearchReply:
        """Find what looks like an image, or like a text; the reply holds the hits, or an error.

        query: such as `image=data, top_k=20`: one of `image`, `uri`, `id`, `vector`, `text` and `examples`, with what
        narrows the hits. `Query` names all; `SearchRequest` and docs/events.md say what they mean.
        Where groups of searchers hold some of the shards each, the reply is merged from theirs; `missing` names the
        shards whose searchers did not answer in time. Raises NoAnswer, BusUnavailable.
        """
        return await self.ask(request_of(query), timeout_s=timeout_s)

    async def ask(self, request: SearchRequest, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> SearchReply:
        """Ask for what a request says, such as a batch: see `search`.

        A searcher that is not ready is asked again, a few times: another may have its share of the queries by then.
        """
        return await self._searches.ask(request, timeout_s=timeout_s)

    def not_hearing(self) -> str | None:
        """Why answers are no longer heard, which none but another client helps against; None where all is well."""
        return next(filter(None, (inbox.not_hearing() for inbox in self._inboxes)), None)

    def _inbox(self, partitions: Mapping[str, Sequence[int]], receive: Callable[[Record], None]) -> Inbox:
        inbox = Inbox(self._servers, partitions, receive, fetch_wait_ms=self._fetch_wait_ms)
        self._inboxes.append(inbox)
        return inbox

    async def _send(
        self,
        image_id: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Sent:
        sent_at = asyncio.get_running_loop().time()
        with bus_tracing.sending(self._topics.uploaded, key=key) as traced:
            stands = await self._producer.send(
                self._topics.uploaded,
                key=key,
                value=value,
                headers=[*headers, *traced],
                partition=partition,
                timestamp_ms=timestamp_ms,
            )
            bus_tracing.sent(stands)
        source = source_from_headers(headers) or SourcePosition(offset=stands.offset, partition=stands.partition)
        return self._sent.remember(Sent(image_id, source, sent_at, self._outcomes.expect(source)))

    def _on_outcome(self, record: Record) -> None:
        fact = fact_of(record, self._topics)
        if fact is not None:
            self._outcomes.heard(fact)
