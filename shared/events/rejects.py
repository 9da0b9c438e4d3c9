"""Records of `images.rejected`: what could not be indexed, as it came, with the reason in its headers.

Key and value are those of the upload event, so that the record can be sent through again as it stands; its own headers
are kept, and these are added. Where one bucket notification names several objects, the value is rewritten to the native
form of the one that failed.
"""

import msgspec

from shared.events import headers as hdr
from shared.events.faults import PoisonInput, RejectReason
from shared.events.images import SourcePosition, source_from_headers

PREFIX = "afterimage-reject-"
REASON = PREFIX + "reason"
DETAIL = PREFIX + "detail"
STAGE = PREFIX + "stage"
UPLOADED_AT = PREFIX + "uploaded-at"
VALUE_DROPPED = PREFIX + "value-dropped"
"""Present when the value was too large to keep: the record tells the reason, and cannot be sent through again."""


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """What the headers of a reject say. uploaded_at: Unix milliseconds of the upload event."""

    reason: RejectReason
    detail: str
    stage: str
    source: SourcePosition
    uploaded_at: int
    redrivable: bool


def reject_headers(
    fault: PoisonInput, *, stage: str, source: SourcePosition, uploaded_at: int, original: hdr.Headers
) -> list[tuple[str, bytes]]:
    kept = [(key, value) for key, value in original if not key.startswith("afterimage-")]
    return [
        *kept,
        *hdr.encode([(REASON, fault.reason.value), (DETAIL, fault.detail[:1000]), (STAGE, stage)]),
        *hdr.encode([(UPLOADED_AT, uploaded_at)]),
        *source.headers(),
    ]


def read_reject(headers: hdr.Headers) -> Reject | None:
    """What a record's headers say of its rejection; None where they say nothing that can be understood."""
    source = source_from_headers(headers)
    uploaded_at = hdr.integer(headers, UPLOADED_AT)
    try:
        reason = RejectReason(hdr.text(headers, REASON) or "")
    except ValueError:
        return None
    if source is None or uploaded_at is None:
        return None
    return Reject(
        reason=reason,
        detail=hdr.text(headers, DETAIL) or "",
        stage=hdr.text(headers, STAGE) or "",
        source=source,
        uploaded_at=uploaded_at,
        redrivable=hdr.last(headers, VALUE_DROPPED) is None,
    )


def redrive_headers(headers: hdr.Headers) -> list[tuple[str, bytes]]:
    """The headers to send a reject through again with: its own and its original position, without the rejection."""
    return [(key, value) for key, value in headers if not key.startswith(PREFIX)]
