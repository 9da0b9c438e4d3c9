"""The client: upload, delete and search over Kafka, and know when it has taken effect."""

import asyncio
import random
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np
import numpy.typing as npt

from shared.bus import tracing as bus_tracing
from shared.bus.consumer import Record
from shared.bus.inbox import Inbox
from shared.bus.producer import RecordProducer
from shared.bus.ungrouped import FETCH_WAIT_MS
from shared.client.merging import Merging
from shared.client.outcomes import Outcomes
from shared.client.sent import Sent, SentEvents, fact_of
from shared.events import headers as hdr
from shared.events.images import Attributes, SourcePosition, check_id, source_from_headers
from shared.events.receipts import Receipt
from shared.events.region import Region
from shared.events.rejects import Reject, redrive_headers
from shared.events.search_replies import ErrorCode, SearchReply, decode_reply
from shared.events.search_requests import Example, SearchRequest, encode_request
from shared.events.topics import Topics
from shared.events.upload_forms import checked_upload
from shared.events.uploads import write_native
from shared.events.vectors import pack_vector
from shared.runtime import tracing
from shared.wires.kafka import PLAINTEXT, KafkaSecurity, KafkaServers

DEFAULT_TIMEOUT_S = 10.0
MAX_IN_FLIGHT = 256
_WAY_BACK_S = 0.1
"""How much earlier a searcher's deadline is than ours, so that what it says of it, such as `not_yet`, still arrives."""
_ASK_AGAIN_AFTER_S = (0.2, 0.6)


class NoAnswer(Exception):
    """Nothing came within the time given; the text says what was waited for."""


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


class _Search:
    """One that is under way. complete: done when no more replies are waited for."""

    def __init__(self, request: SearchRequest) -> None:
        self.replies = Merging(request)
        self.complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()


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
        self._turn = asyncio.Semaphore(max_in_flight)
        self._fetch_wait_ms = fetch_wait_ms
        self._searches: dict[bytes, _Search] = {}
        self._outcomes = Outcomes()
        self._sent = SentEvents(bootstrap_servers, self._topics, self._outcomes)
        self._stack = AsyncExitStack()
        self._producer: RecordProducer
        self._reply_partition = 0

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._producer = await stack.enter_async_context(
                RecordProducer(self._servers, client_id="afterimage-client")
            )
            mine = random.randrange(await self._producer.partitions(self._topics.replies))  # noqa: S311 - no secret
            self._reply_partition = mine
            await stack.enter_async_context(self._inbox({self._topics.replies: [mine]}, self._on_reply))
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

    async def search(
        self,
        *,
        image: bytes | None = None,
        uri: str | None = None,
        id: str | None = None,  # noqa: A002 - the field's name in the contract
        vector: Sequence[float] | npt.NDArray[np.floating] | None = None,
        text: str | None = None,
        region: Region | None = None,
        examples: Sequence[Example] | None = None,
        top_k: int = 10,
        offset: int = 0,
        min_score: float | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the field's name in the contract
        exclude: Collection[str] = (),
        exact: bool = False,
        attributes: Collection[str] | None = None,
        explain: bool = False,
        min_position: Mapping[int, int] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> SearchReply:
        """Find what looks like an image, or like a text; the reply holds the hits, or an error.

        Where groups of searchers hold some of the shards each, it is merged from theirs; `missing` names the shards
        whose searchers did not answer in time.

        vector: (dim,), as the index's encoder would give it; its length does not count. It goes as float32.
        region: the part of `image` or `uri` that counts.
        examples: several things that hits should look like, or, with a weight below 0, should not. offset: how many of
        the best hits are left out: those of the pages before. attributes: the names of those that hits bring; None for
        all. explain: have the reply say what was searched, and how.
        filter: a condition that every hit meets, such as ``{"kind": "animal"}``; docs/events.md has the language.
        exclude: ids that no hit has. exact: compare with every image: slower, and misses none.
        Raises NoAnswer, BusUnavailable.
        """
        request = SearchRequest(
            image=image,
            uri=uri,
            id=id,
            vector=None if vector is None else pack_vector(vector),
            text=text,
            region=region,
            examples=None if examples is None else list(examples),
            top_k=top_k,
            offset=offset,
            attributes=None if attributes is None else frozenset(attributes),
            explain=explain,
            min_score=min_score,
            filter=None if filter is None else dict(filter),
            exclude=frozenset(exclude),
            exact=exact,
            min_position=dict(min_position or {}),
        )
        return await self.ask(request, timeout_s=timeout_s)

    async def ask(self, request: SearchRequest, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> SearchReply:
        """Ask for what a request says, such as a batch: see `search`.

        A searcher that is not ready is asked again, a few times: another may have its share of the queries by then.
        """
        until = asyncio.get_running_loop().time() + timeout_s
        with tracing.operation("search", "client"):
            return await self._until_ready(request, until)

    async def _until_ready(self, request: SearchRequest, until: float) -> SearchReply:
        async with self._turn:
            for pause_s in (*_ASK_AGAIN_AFTER_S, None):
                answer = await self._answer(request, until)
                not_ready = answer.error is not None and answer.error.code is ErrorCode.NOT_READY
                if not not_ready or pause_s is None or asyncio.get_running_loop().time() + pause_s >= until:
                    break
                await asyncio.sleep(pause_s)
        return answer

    async def _answer(self, request: SearchRequest, until: float) -> SearchReply:
        """until: by the loop's clock. Raises NoAnswer."""
        replies = await self._ask(request, until - asyncio.get_running_loop().time())
        answer = replies.answer()
        # Searchers that hold some of the shards alone know the ids in those, and are told what the others know.
        if (by_codes := replies.by_codes()) is not None:
            with suppress(NoAnswer):  # then what some of them have found
                answer = (await self._ask(by_codes, until - asyncio.get_running_loop().time())).answer()
        assert answer is not None  # noqa: S101 - else there was no answer
        return answer

    def _inbox(self, partitions: Mapping[str, Sequence[int]], receive: Callable[[Record], None]) -> Inbox:
        return Inbox(self._servers, partitions, receive, fetch_wait_ms=self._fetch_wait_ms)

    async def _ask(self, request: SearchRequest, timeout_s: float) -> Merging:
        """Return the replies that came, at least one."""
        correlation_id = uuid.uuid4().hex.encode()
        deadline = int((time.time() + timeout_s - min(_WAY_BACK_S, timeout_s / 5)) * 1000)
        headers = [
            (hdr.CONTENT_TYPE, hdr.MSGPACK.encode()),
            (hdr.CORRELATION_ID, correlation_id),
            *hdr.encode([(hdr.REPLY_TO, self._topics.replies), (hdr.REPLY_PARTITION, self._reply_partition)]),
            *hdr.encode([(hdr.DEADLINE, deadline)]),
        ]
        search = self._searches[correlation_id] = _Search(request)
        try:
            async with asyncio.timeout(timeout_s):
                value = encode_request(request, hdr.MSGPACK)
                with bus_tracing.sending(self._topics.requests) as traced:
                    await self._producer.send(self._topics.requests, key=None, value=value, headers=[*headers, *traced])
                await search.complete
        except TimeoutError:
            if search.replies.answer() is None:
                raise NoAnswer(
                    f"no reply to the search within {timeout_s:.3g} s: is a searcher running? `afterimage status` tells"
                ) from None
        finally:
            del self._searches[correlation_id]
        return search.replies

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

    def _on_reply(self, record: Record) -> None:
        search = self._searches.get(hdr.last(record.headers, hdr.CORRELATION_ID) or b"")
        if search is None or search.complete.done() or record.value is None:
            return
        try:
            search.replies.add(decode_reply(record.value, hdr.media_type(record.headers)))
        except msgspec.DecodeError as error:
            search.complete.set_exception(NoAnswer(f"the reply cannot be read: {error}"))
            return
        if search.replies.complete or search.replies.ask_again_at_once:
            search.complete.set_result(None)

    def _on_outcome(self, record: Record) -> None:
        fact = fact_of(record, self._topics)
        if fact is not None:
            self._outcomes.heard(fact)
