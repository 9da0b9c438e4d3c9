"""S3 and MinIO bucket notifications as upload events, so that a bucket is indexed with no code.

The form is that of Amazon S3's event notification, version 2.x; MinIO's Kafka target sends the same ``Records`` and
keys them ``bucket/key``, which is the image's id here. Object keys arrive form-encoded (``+`` for a space), except from
versitygw; in the id and in the ``s3://`` reference they stand as they are.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from urllib.parse import unquote_plus

import msgspec

from shared.events.decoding import decode
from shared.events.faults import PoisonInput, RejectReason
from shared.events.images import Attributes, check_id
from shared.events.upload_forms import DeleteImage, UploadEvent, checked_upload


class _Bucket(msgspec.Struct, frozen=True):
    name: str


class _Object(msgspec.Struct, frozen=True):
    key: str
    size: int | None = None


class _Entity(msgspec.Struct, frozen=True):
    bucket: _Bucket
    object: _Object
    configuration_id: str | None = msgspec.field(name="configurationId", default=None)


class _Record(msgspec.Struct, frozen=True, rename="camel"):
    event_name: str
    s3: _Entity
    event_version: str = "2.0"
    event_time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class _Notification(msgspec.Struct, frozen=True):
    records: list[_Record] = msgspec.field(name="Records", default_factory=list)


_decoder = msgspec.json.Decoder(_Notification)
_CREATED = "ObjectCreated:"
_REMOVED = ("ObjectRemoved:", "LifecycleExpiration:")
_OF_VERSITYGW = {"kafka-global", "nats-global", "rabbitmq-global", "webhook-global"}
"""How versitygw names its one configuration; it writes object keys as they are."""


def is_bucket_notification(fields: Mapping[str, msgspec.Raw]) -> bool:
    """Whether a JSON object is one; S3's test event, which asks for nothing, counts."""
    return "Records" in fields or ("Event" in fields and bytes(fields["Event"]) == b'"s3:TestEvent"')


def read_bucket_notification(value: bytes) -> list[UploadEvent | PoisonInput]:
    """One event for each object that was created or removed, and one fault for each entry that cannot be read.

    Of several entries about one object the last counts: they share one offset, so nothing later could tell them apart.
    Other notifications (tagging, restore) ask for nothing. Raises PoisonInput where nothing can be read.
    """
    try:
        notification = decode(_decoder, value)
    except msgspec.DecodeError as error:
        raise PoisonInput(RejectReason.MALFORMED_EVENT, f"the bucket notification cannot be read: {error}") from None
    latest: dict[str, UploadEvent] = {}
    unreadable: list[PoisonInput] = []
    for record in notification.records:
        try:
            event = _read(record)
        except PoisonInput as fault:
            unreadable.append(fault)
            continue
        if event is not None:
            latest.pop(event.id, None)
            latest[event.id] = event
    if unreadable and not latest:
        raise unreadable[0]
    return [*latest.values(), *unreadable]


def _read(record: _Record) -> UploadEvent | None:
    if not record.event_version.startswith("2."):
        raise PoisonInput(
            RejectReason.UNSUPPORTED_VERSION,
            f"bucket notifications of version {record.event_version!r}; this release knows 2.x",
        )
    kind = record.event_name.removeprefix("s3:")
    if not kind.startswith((_CREATED, *_REMOVED)):
        return None
    bucket, key = record.s3.bucket.name, _object_key(record.s3)
    image_id = check_id(f"{bucket}/{key}")
    if kind.startswith(_REMOVED):
        return DeleteImage(id=image_id)
    attributes: Attributes = {"bucket": bucket, "key": key}
    if record.s3.object.size is not None:
        attributes["size"] = record.s3.object.size
    return checked_upload(
        image_id=image_id,
        uri=f"s3://{bucket}/{key}",
        data=None,
        attributes=attributes,
        occurred_at=record.event_time,
    )


def _object_key(entity: _Entity) -> str:
    written = entity.object.key
    if entity.configuration_id in _OF_VERSITYGW:
        return written
    try:
        return unquote_plus(written, errors="strict")
    except UnicodeDecodeError:
        raise PoisonInput(RejectReason.MALFORMED_EVENT, f"the object key {written[:40]!r} is not UTF-8") from None
