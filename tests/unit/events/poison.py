"""Reading what must be refused."""

from collections.abc import Sequence

import msgspec
import pytest

from shared.events.faults import PoisonInput, RejectReason
from shared.events.upload_forms import UploadEvent
from shared.events.uploads import read_upload_events

DEEP = 100_000
BOMB = b"[" * DEEP + b"]" * DEEP


def as_json(fields: object) -> bytes:
    return msgspec.json.encode(fields)


def one_event(key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()) -> UploadEvent:
    (event,) = read_upload_events(key, value, headers)
    return event


def refused(
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes]] = (),
    *,
    says: str,
    reason: RejectReason = RejectReason.MALFORMED_EVENT,
) -> None:
    """Assert that the record is refused for that reason, with a message that matches the regular expression `says`."""
    with pytest.raises(PoisonInput, match=says) as refusal:
        read_upload_events(key, value, headers)
    assert refusal.value.reason is reason
