"""CloudEvents 1.0 as upload events, by the Kafka protocol binding (cloudevents.io), binary and structured mode.

The image's id is the record's key, else the event's ``subject``, else the ``id`` in its JSON data, else the event's own
``id``. An event of the type ``io.afterimage.image.deleted`` deletes; every other type uploads, since a producer names
its types after its own business. The data is the image itself, or, with a JSON content type, the native form. Extension
attributes become attributes of the image.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from shared.events import headers as hdr
from shared.events.decoding import decode
from shared.events.faults import PoisonInput, RejectReason
from shared.events.images import Attributes, check_attributes, check_id
from shared.events.upload_forms import DeleteImage, UploadEvent, UploadImage, checked_upload

STRUCTURED = "application/cloudevents+json"
DELETED = "io.afterimage.image.deleted"
UPLOADED = "io.afterimage.image.uploaded"

_CORE = frozenset({"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema"})
_DATA = frozenset({"data", "data_base64"})
_PREFIX = "ce_"


class ReadNative(Protocol):
    def __call__(self, named_id: str | None, value: bytes, *, fallback_id: str | None = None) -> UploadImage: ...


class _Envelope(msgspec.Struct, frozen=True, kw_only=True):
    specversion: str
    id: str
    source: str
    type: str
    subject: str | None = None
    time: datetime | None = None
    datacontenttype: str | None = None


_objects = msgspec.json.Decoder(dict[str, object])
_raw_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])


def is_binary_cloudevent(headers: hdr.Headers) -> bool:
    return hdr.last(headers, _PREFIX + "specversion") is not None


def is_structured_cloudevent(headers: hdr.Headers, fields: Mapping[str, object]) -> bool:
    return hdr.media_type(headers) == STRUCTURED or "specversion" in fields


def read_binary(key_id: str | None, value: bytes, headers: hdr.Headers, read_native: ReadNative) -> UploadEvent:
    """Read a binary-mode event: context in ``ce_*`` headers, the image or native JSON as the value."""
    try:
        context = {key[len(_PREFIX) :]: data.decode() for key, data in headers if key.startswith(_PREFIX) and data}
    except UnicodeDecodeError:
        raise PoisonInput(RejectReason.MALFORMED_EVENT, "a ce_* header is not UTF-8") from None
    envelope = _checked(context)
    media_type = hdr.media_type(headers)
    named_id = key_id or envelope.subject
    if envelope.type == DELETED:
        return DeleteImage(id=check_id(named_id or envelope.id))
    if _is_json(media_type):
        upload = read_native(named_id, value, fallback_id=envelope.id)
        return _with_context(upload, envelope, _extensions(context))
    return checked_upload(
        image_id=named_id or envelope.id,
        uri=None,
        data=value,
        attributes=_extensions(context),
        occurred_at=_aware(envelope),
    )


def read_structured(key_id: str | None, value: bytes, read_native: ReadNative) -> UploadEvent:
    """Read a structured-mode event: one JSON object with ``data`` (native form) or ``data_base64`` (the image)."""
    try:
        fields = decode(_objects, value)
    except msgspec.DecodeError as error:
        raise PoisonInput(RejectReason.MALFORMED_EVENT, f"the CloudEvent cannot be read: {error}") from None
    envelope = _checked(fields)
    named_id = key_id or envelope.subject
    if envelope.type == DELETED:
        return DeleteImage(id=check_id(named_id or envelope.id))
    if "data_base64" in fields:
        try:
            data = msgspec.convert(fields["data_base64"], bytes)
        except msgspec.ValidationError as error:
            raise PoisonInput(RejectReason.MALFORMED_EVENT, f"data_base64 cannot be read: {error}") from None
        return checked_upload(
            image_id=named_id or envelope.id,
            uri=None,
            data=data,
            attributes=_extensions(fields),
            occurred_at=_aware(envelope),
        )
    if not isinstance(fields.get("data"), dict):
        raise PoisonInput(
            RejectReason.MALFORMED_EVENT,
            "a structured CloudEvent needs 'data_base64', or 'data' as an object",
        )
    data_as_sent = bytes(_raw_objects.decode(value)["data"])
    upload = read_native(named_id, data_as_sent, fallback_id=envelope.id)
    return _with_context(upload, envelope, _extensions(fields))


def _checked(context: Mapping[str, object]) -> _Envelope:
    try:
        envelope = msgspec.convert(context, _Envelope)
    except msgspec.ValidationError as error:
        raise PoisonInput(RejectReason.MALFORMED_EVENT, f"the CloudEvent cannot be read: {error}") from None
    if not envelope.specversion.startswith("1."):
        raise PoisonInput(
            RejectReason.UNSUPPORTED_VERSION, f"CloudEvents {envelope.specversion!r}; this release knows 1.x"
        )
    return envelope


def _aware(envelope: _Envelope) -> datetime | None:
    if envelope.time is not None and envelope.time.tzinfo is None:
        raise PoisonInput(RejectReason.MALFORMED_EVENT, f"the time {envelope.time.isoformat()} has no time zone")
    return envelope.time


def _is_json(media_type: str) -> bool:
    return media_type == hdr.JSON or media_type.endswith("+json")


def _extensions(context: Mapping[str, object]) -> Attributes:
    return {
        name: value
        for name, value in context.items()
        if name not in _CORE | _DATA and name not in hdr.TRACE_HEADERS and isinstance(value, (str, int, float, bool))
    }


def _with_context(upload: UploadImage, envelope: _Envelope, extensions: Attributes) -> UploadImage:
    """What the data says wins over what the envelope says."""
    return msgspec.structs.replace(
        upload,
        attributes=check_attributes({**extensions, **upload.attributes}),
        occurred_at=upload.occurred_at or _aware(envelope),
    )
