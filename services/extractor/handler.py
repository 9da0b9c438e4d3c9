"""What the extractor does with one record: fetch, encode, publish; or reject, with the reason."""

from collections.abc import Awaitable, Callable
from functools import partial

from services.extractor.metrics import ExtractorMetrics
from services.extractor.reject_limit import RejectLimit
from shared.bus import tracing as bus_tracing
from shared.bus.consumer import Record
from shared.bus.partitions import partition_of
from shared.bus.producer import RecordProducer, RecordTooLarge
from shared.encoders.engine.engine import Extract
from shared.events import headers as hdr
from shared.events import rejects
from shared.events.faults import PoisonInput, RejectReason
from shared.events.features import FeatureRecord, encode_feature
from shared.events.images import MAX_ID_BYTES, VERSION, SourcePosition, epoch_ms, source_from_headers
from shared.events.topics import Topics
from shared.events.upload_forms import DeleteImage, UploadEvent, UploadImage
from shared.events.uploads import read_upload_events, write_native
from shared.imaging.budget import ByteBudget, Room
from shared.runtime import tracing
from shared.runtime.logging import get_logger

log = get_logger(__name__)

Fetch = Callable[[str, Room], Awaitable[bytes]]


class ExtractUploads:
    """Turns each upload event into a feature record, a delete, or a reject.

    `process` returns when Kafka has acknowledged what came of the record, so that its offset may be committed.
    partitions: how many `images.uploaded` has. fetch, budget: what is fetched has room in the
    budget until its code is there. extract: gives an image's code, which belongs to `scheme`.
    """

    def __init__(
        self,
        *,
        topics: Topics,
        partitions: int,
        fetch: Fetch,
        budget: ByteBudget,
        extract: Extract,
        scheme: str,
        producer: RecordProducer,
        metrics: ExtractorMetrics,
        reject_limit: RejectLimit,
    ) -> None:
        self._topics = topics
        self._partitions = partitions
        self._fetch = fetch
        self._budget = budget
        self._extract = extract
        self._scheme = scheme
        self._producer = producer
        self._metrics = metrics
        self._reject_limit = reject_limit

    async def process(self, record: Record) -> None:
        """Deal with one record for good. Raises RejectLimitReached where it is left as it is."""
        with bus_tracing.processing(record, group=self._topics.group("extractor")):
            await self._process(record)

    async def _process(self, record: Record) -> None:
        try:
            events = read_upload_events(record.key, record.value, record.headers)
        except PoisonInput as fault:
            await self._reject(record, fault, stage="read", key=record.key, value=record.value)
            return
        if not events:
            self._metrics.events.labels("ignored").inc()
        for event in events:
            if isinstance(event, PoisonInput):
                await self._reject(record, event, stage="read", key=record.key, value=record.value)
                continue
            try:
                await self._deal_with(record, event, alone=len(events) == 1)
            except RecordTooLarge as error:  # by what it brings beside the image, such as its trace headers
                large = PoisonInput(RejectReason.MALFORMED_EVENT, f"what comes of the event fits no record: {error}")
                await self._reject(record, large, stage="publish", key=event.id.encode(), value=record.value)

    async def _deal_with(self, record: Record, event: UploadEvent, *, alone: bool) -> None:
        if partition_of(event.id, self._partitions) != record.partition:
            await self._forward(record, event)
            return
        source = _source(record)
        if isinstance(event, DeleteImage):
            await self._publish(record, event.id, None, source.headers())
            self._metrics.events.labels("deleted").inc()
            return
        try:
            feature = await self._feature_of(record, event, source)
        except PoisonInput as fault:
            value = record.value if alone else write_native(event)
            fault.with_traceback(None)  # which would keep the image for as long as Kafka does not take the reject
            await self._reject(record, fault, stage="extract", key=event.id.encode(), value=value)
            return
        await self._publish(record, event.id, encode_feature(feature), [(hdr.CONTENT_TYPE, hdr.MSGPACK.encode())])
        self._metrics.events.labels("encoded").inc()
        self._reject_limit.encoded()

    async def _feature_of(self, record: Record, event: UploadImage, source: SourcePosition) -> FeatureRecord:
        with self._budget.room() as room:
            extracted = await self._extract(await self._bytes_of(event, room))
        return FeatureRecord(
            v=VERSION,
            id=event.id,
            code=extracted.code,
            scheme=self._scheme,
            source=source,
            uploaded_at=record.timestamp,
            occurred_at=epoch_ms(event.occurred_at),
            uri=event.uri,
            attributes=event.attributes,
        )

    async def _bytes_of(self, event: UploadImage, room: Room) -> bytes:
        if event.data is not None:
            data, source = event.data, "inline"
        else:
            with self._metrics.stage("fetch"), tracing.stage("fetch"):
                data, source = await self._fetch(event.uri or "", room), "fetched"
        self._metrics.image_bytes.labels(source).inc(len(data))
        return data

    async def _publish(
        self, record: Record, image_id: str, value: bytes | None, headers: list[tuple[str, bytes]]
    ) -> None:
        topic, key = self._topics.features, image_id.encode()
        with (
            self._metrics.stage("publish"),
            bus_tracing.sending(topic, key=key, received=record.headers, lasting=True) as traced,
        ):
            stands = await self._producer.send_until_acknowledged(
                topic, key=key, value=value, headers=[*headers, *traced]
            )
            bus_tracing.sent(stands)

    async def _forward(self, record: Record, event: UploadEvent) -> None:
        """Send an event to the partition of its id: producers may partition otherwise, but an id has one clock."""
        value = None if isinstance(event, DeleteImage) else write_native(event)
        topic, key = self._topics.uploaded, event.id.encode()
        with bus_tracing.sending(topic, key=key, received=record.headers) as traced:
            await self._producer.send_until_acknowledged(topic, key=key, value=value, headers=traced)
        self._metrics.events.labels("forwarded").inc()

    async def _reject(
        self, record: Record, fault: PoisonInput, *, stage: str, key: bytes | None, value: bytes | None
    ) -> None:
        self._reject_limit.reject(fault.reason)
        log.info("upload_rejected", reason=fault.reason, detail=fault.detail, stage=stage, offset=record.offset)
        native = value is not None and value is not record.value
        said = partial(rejects.reject_headers, fault, stage=stage, source=_source(record), uploaded_at=record.timestamp)
        headers = said(original=hdr.traces(record.headers) if native else record.headers)
        try:
            await self._producer.send_until_acknowledged(self._topics.rejected, key=key, value=value, headers=headers)
        except RecordTooLarge:  # the value, the headers or the key fill a record by themselves
            await self._producer.send_until_acknowledged(
                self._topics.rejected,
                key=key if key and len(key) <= MAX_ID_BYTES else None,
                value=None,
                headers=[*said(original=()), (rejects.VALUE_DROPPED, b"1")],
            )
        self._metrics.events.labels("rejected").inc()
        self._metrics.rejects.labels(fault.reason.value, stage).inc()


def _source(record: Record) -> SourcePosition:
    """Where the event stands; for one that was sent through again, where it stood first.

    A header that names another partition, or a later offset, was not written by a redrive.
    """
    named = source_from_headers(record.headers)
    if named is not None and named.partition == record.partition and named.offset < record.offset:
        return named
    return SourcePosition(offset=record.offset, partition=record.partition)
