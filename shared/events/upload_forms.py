"""What every form of upload event comes down to."""

from datetime import datetime

import msgspec

from shared.events.faults import PoisonInput, RejectReason
from shared.events.images import MAX_INLINE_BYTES, Attributes, check_attributes, check_id

MAX_URI_BYTES = 8 * 1024


class UploadImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image is there, inline (`data`) or by reference (`uri`): one of the two, never both."""

    id: str
    uri: str | None = None
    data: bytes | None = None
    attributes: Attributes = {}
    occurred_at: datetime | None = None
    """When the picture came to be, by its producer's clock, with its time zone."""


class DeleteImage(msgspec.Struct, frozen=True, kw_only=True):
    """The image is gone: it must not be found any more."""

    id: str


UploadEvent = UploadImage | DeleteImage


def checked_upload(
    *,
    image_id: str | None,
    uri: str | None,
    data: bytes | None,
    attributes: Attributes,
    occurred_at: datetime | None,
) -> UploadImage:
    """An upload that keeps the rules. Raises PoisonInput with the rule that it breaks."""
    if (uri is None) == (data is None):
        raise PoisonInput(RejectReason.MALFORMED_EVENT, "an upload has either 'uri' or 'data', and one of them")
    if data is not None and not data:
        raise PoisonInput(RejectReason.MALFORMED_EVENT, "the inline image is empty")
    if data is not None and len(data) > MAX_INLINE_BYTES:
        raise PoisonInput(
            RejectReason.INLINE_TOO_LARGE,
            f"the inline image has {len(data)} bytes, more than {MAX_INLINE_BYTES}: store it and send its uri",
        )
    if uri is not None and not 0 < len(uri.encode("utf-8", "surrogatepass")) <= MAX_URI_BYTES:
        raise PoisonInput(RejectReason.MALFORMED_EVENT, f"a uri has 1 to {MAX_URI_BYTES} bytes")
    return UploadImage(
        id=check_id(image_id),
        uri=uri,
        data=data,
        attributes=check_attributes(attributes),
        occurred_at=occurred_at,
    )
