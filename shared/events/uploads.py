"""Upload events: an image came, or went. One reader for all the forms in which the world says so.

| form | told by |
| --- | --- |
| delete (Kafka's tombstone) | a null value |
| CloudEvents, binary mode | the header ``ce_specversion`` |
| CloudEvents, structured mode | content type ``application/cloudevents+json``, or a field ``specversion`` |
| S3 and MinIO bucket notification | a field ``Records`` |
| native JSON | anything else that is a JSON object |
"""

from datetime import datetime
from typing import Annotated

import msgspec

from shared.events import headers as hdr
from shared.events.bucket_notifications import is_bucket_notification, read_bucket_notification
from shared.events.cloudevents import (
    is_binary_cloudevent,
    is_structured_cloudevent,
    read_binary,
    read_structured,
)
from shared.events.decoding import decode
from shared.events.faults import PoisonInput, RejectReason
from shared.events.images import VERSION, Attributes, check_id, id_from_key
from shared.events.upload_forms import DeleteImage, UploadEvent, UploadImage, checked_upload


class NativeUpload(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The native JSON form, field by field. `data` is base64 in JSON."""

    v: int = 0
    id: str | None = None
    uri: str | None = None
    data: bytes | None = None
    attributes: Attributes = {}
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


_decoder = msgspec.json.Decoder(NativeUpload)
_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_upload_events(key: bytes | None, value: bytes | None, headers: hdr.Headers) -> list[UploadEvent | PoisonInput]:
    """What one record of `images.uploaded` asks for; a bucket notification may ask for several things.

    Among several, one that cannot be read stands as its fault, and costs itself alone. Raises PoisonInput where the
    record is in none of the forms, with what would be right.
    """
    key_id = id_from_key(key)
    if value is None:
        return [DeleteImage(id=check_id(key_id))]
    if is_binary_cloudevent(headers):
        return [read_binary(key_id, value, headers, read_native)]
    fields = _fields(value)
    if is_structured_cloudevent(headers, fields):
        return [read_structured(key_id, value, read_native)]
    if is_bucket_notification(fields):
        return read_bucket_notification(value)
    return [read_native(key_id, value)]


def _fields(value: bytes) -> dict[str, msgspec.Raw]:
    try:
        return decode(_objects, value)
    except msgspec.DecodeError as error:
        raise PoisonInput(
            RejectReason.MALFORMED_EVENT,
            f"the value ({len(value)} bytes) is no JSON object ({error}); "
            "raw image bytes need the CloudEvents headers (ce_*)",
        ) from None


def read_native(named_id: str | None, value: bytes, *, fallback_id: str | None = None) -> UploadImage:
    """Read the native JSON form.

    named_id: the image's id by the record's key or its like; a field 'id' must agree with it. fallback_id: what stands
    for the id when nothing else names it.
    """
    try:
        native = decode(_decoder, value)
    except msgspec.DecodeError as error:
        raise PoisonInput(RejectReason.MALFORMED_EVENT, f"the upload event cannot be read: {error}") from None
    if native.v not in (0, VERSION):  # 0: not said, which a person with a shell may do
        raise PoisonInput(
            RejectReason.UNSUPPORTED_VERSION, f"version {native.v} of upload events; this release knows {VERSION}"
        )
    if native.id and named_id and native.id != named_id:
        raise PoisonInput(
            RejectReason.MALFORMED_EVENT,
            f"the record's key or subject says {named_id[:40]!r}, its field 'id' {native.id[:40]!r}: they must agree",
        )
    return checked_upload(
        image_id=native.id or named_id or fallback_id,
        uri=native.uri,
        data=native.data,
        attributes=native.attributes,
        occurred_at=native.occurred_at,
    )


def write_native(event: UploadImage) -> bytes:
    """The native JSON form of an upload, current version."""
    return msgspec.json.encode(
        NativeUpload(
            v=VERSION,
            id=event.id,
            uri=event.uri,
            data=event.data,
            attributes=event.attributes,
            occurred_at=event.occurred_at,
        )
    )
