"""What comes back to producers: receipts, and rejects that can be sent through again."""

import msgspec
import pytest

from shared.events import headers as hdr
from shared.events import rejects
from shared.events.faults import PoisonInput, RejectReason
from shared.events.images import SourcePosition
from shared.events.receipts import Effect, decode_receipt, encode_receipt
from shared.events.rejects import read_reject, redrive_headers, reject_headers
from tests.unit.events import samples

SOURCE = SourcePosition(offset=1041, partition=2)


def receipt_with(**changes: object) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(encode_receipt(samples.RECEIPT)) | changes)


def headers_of(detail: str = "why", original: hdr.Headers = ()) -> list[tuple[str, bytes]]:
    fault = PoisonInput(RejectReason.NOT_FOUND, detail)
    return reject_headers(fault, stage="fetch", source=SOURCE, uploaded_at=7, original=original)


@pytest.mark.parametrize("effect", Effect)
def test_a_receipt_says_its_effect(effect: Effect) -> None:
    assert decode_receipt(receipt_with(effect=effect)).effect is effect


def test_unknown_fields_of_a_receipt_change_nothing() -> None:
    assert decode_receipt(receipt_with(later={"a": 1})) == samples.RECEIPT


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", receipt_with(v=2), receipt_with(effect="gone"), receipt_with(id=None), b'{"x":' + b"[" * 100_000],
    ids=["empty", "array", "version", "effect", "id", "bomb"],
)
def test_what_is_no_receipt_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_receipt(data)


@pytest.mark.parametrize("reason", RejectReason)
def test_every_reason_is_read_back(reason: RejectReason) -> None:
    headers = reject_headers(PoisonInput(reason, "d"), stage="s", source=SOURCE, uploaded_at=7, original=[])
    reject = read_reject(headers)
    assert reject is not None
    assert (reject.reason, reject.source, reject.uploaded_at) == (reason, SOURCE, 7)


def test_a_poison_input_shows_its_reason_by_its_public_name() -> None:
    assert str(PoisonInput(RejectReason.NOT_FOUND, "no such object")) == "not_found: no such object"


def test_a_redrive_has_the_events_own_headers_and_its_first_position() -> None:
    own = [("traceparent", b"t"), ("ce_id", b"7"), ("x", b"\xff")]
    first = redrive_headers(headers_of(original=own))
    assert first == [*own, *SOURCE.headers()]
    assert redrive_headers(headers_of(original=first)) == first


def test_a_second_rejection_replaces_the_first() -> None:
    again = headers_of("later", original=headers_of("earlier"))
    assert len(again) == len({name for name, _ in again})
    assert hdr.text(again, rejects.DETAIL) == "later"


def test_a_reject_without_its_value_cannot_be_redriven() -> None:
    reject = read_reject([*headers_of(), (rejects.VALUE_DROPPED, b"1")])
    assert reject is not None
    assert not reject.redrivable


def test_a_long_detail_is_cut_and_an_odd_one_is_escaped() -> None:
    assert len(hdr.last(headers_of("x" * 5000), rejects.DETAIL) or b"") == 1000
    assert hdr.last(headers_of("\ud800"), rejects.DETAIL) == b"\\ud800"


@pytest.mark.parametrize("missing", [rejects.REASON, rejects.UPLOADED_AT, hdr.SOURCE_OFFSET, hdr.SOURCE_PARTITION])
def test_headers_that_lack_the_origin_tell_of_no_reject(missing: str) -> None:
    assert read_reject([(name, value) for name, value in headers_of() if name != missing]) is None


@pytest.mark.parametrize("reason", [b"", b"no_such_reason", b"\xff"])
def test_an_unknown_reason_tells_of_no_reject(reason: bytes) -> None:
    assert read_reject([*headers_of(), (rejects.REASON, reason)]) is None
