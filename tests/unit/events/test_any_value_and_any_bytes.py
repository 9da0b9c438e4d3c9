"""Every value survives its encoding, and no bytes whatever raise what their reader does not announce."""

import contextlib
import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.events import headers as hdr
from shared.events.faults import PoisonInput
from shared.events.features import FeatureRecord, UnreadableFeature, encode_feature, feature_of, read_operation
from shared.events.images import MAX_ID_BYTES, check_id, id_from_key
from shared.events.operations import Delete, OperationBatch, decode_batch, encode_batch
from shared.events.receipts import decode_receipt
from shared.events.rejects import read_reject, redrive_headers
from shared.events.search_replies import SearchReply, decode_reply, encode_reply
from shared.events.search_requests import BadRequest, SearchRequest, decode_request, encode_request
from shared.events.upload_forms import DeleteImage, UploadImage
from shared.events.uploads import read_upload_events, write_native
from tests.unit.events import strategies as mine
from tests.unit.events.golden_files import GOLDEN

VALUES = [path.read_bytes() for path in sorted(GOLDEN.iterdir()) if path.suffix in {".json", ".bin", ".gif"}]
HEADER_NAMES = [
    *("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_camera", "content-type"),
    *(hdr.SOURCE_OFFSET, hdr.SOURCE_PARTITION, "afterimage-reject-reason", "afterimage-reject-uploaded-at"),
]
HEADER_VALUES = [
    b"1.0",
    b"2026-03-14T09:26:53Z",
    b"io.afterimage.image.deleted",
    b"application/json",
    b"not_found",
    b"7",
]

json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | mine.finite | mine.text,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            mine.text
            | st.sampled_from(["id", "uri", "data", "v", "attributes", "Records", "s3", "specversion", "type"]),
            inner,
            max_size=4,
        )
    ),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A golden value with a part of it replaced by other bytes."""
    value = draw(st.sampled_from(VALUES))
    start = draw(st.integers(0, len(value)))
    end = draw(st.integers(start, min(len(value), start + 8)))
    return value[:start] + draw(st.binary(max_size=4)) + value[end:]


any_bytes = st.binary(max_size=100) | damaged() | json_like.map(lambda value: json.dumps(value).encode())
any_headers = st.lists(
    st.tuples(
        st.sampled_from(HEADER_NAMES) | st.text(max_size=8), st.sampled_from(HEADER_VALUES) | st.binary(max_size=12)
    ),
    max_size=8,
)
content_types = st.sampled_from([hdr.JSON, hdr.MSGPACK])


@given(upload=mine.uploads)
def test_an_upload_survives_the_native_form(upload: UploadImage) -> None:
    assert read_upload_events(upload.id.encode(), write_native(upload), []) == [upload]


@given(feature=mine.features, offset=mine.offsets)
def test_a_feature_survives_its_way_into_an_operation_and_back(feature: FeatureRecord, offset: int) -> None:
    operation = read_operation(
        offset=offset, timestamp=0, key=feature.id.encode(), value=encode_feature(feature), headers=[]
    )
    assert operation.offset == offset
    assert feature_of(operation) == feature


@given(delete=mine.deletes)
def test_a_delete_survives_its_headers(delete: Delete) -> None:
    assert delete == read_operation(
        offset=delete.offset,
        timestamp=delete.uploaded_at,
        key=delete.id.encode(),
        value=None,
        headers=delete.source.headers(),
    )


@given(batch=mine.batches)
def test_a_batch_survives_its_encoding(batch: OperationBatch) -> None:
    assert decode_batch(encode_batch(batch)) == batch


@given(request=mine.requests, content_type=content_types)
def test_a_request_survives_both_encodings(request: SearchRequest, content_type: str) -> None:
    assert decode_request(encode_request(request, content_type), content_type) == request


@given(reply=mine.replies, content_type=content_types)
def test_a_reply_survives_both_encodings(reply: SearchReply, content_type: str) -> None:
    assert decode_reply(encode_reply(reply, content_type), content_type) == reply


@given(text=st.text(max_size=600))
def test_an_id_that_is_taken_can_be_a_key(text: str) -> None:
    with contextlib.suppress(PoisonInput):
        image_id = check_id(text)
        assert 0 < len(image_id.encode()) <= MAX_ID_BYTES
        assert id_from_key(image_id.encode()) == image_id


@given(key=st.none() | st.binary(max_size=8), value=any_bytes, headers=any_headers)
@example(key=b"a", value=b'{"uri": "u", "attributes": {"a": 99999999999999999999}}', headers=[])
def test_whatever_is_uploaded_is_poison_or_can_be_indexed(
    key: bytes | None, value: bytes, headers: hdr.Headers
) -> None:
    with contextlib.suppress(PoisonInput):
        for event in read_upload_events(key, value, headers):
            assert check_id(event.id)
            if isinstance(event, DeleteImage):
                continue
            assert (event.uri is None) != (event.data is None)
            assert event.occurred_at is None or event.occurred_at.tzinfo is not None
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(event.attributes)) == event.attributes


@given(key=st.none() | st.binary(max_size=8), value=st.none() | any_bytes, headers=any_headers)
def test_whatever_stands_on_the_features_topic_is_an_operation_or_unreadable(
    key: bytes | None, value: bytes | None, headers: hdr.Headers
) -> None:
    with contextlib.suppress(UnreadableFeature):
        operation = read_operation(offset=0, timestamp=0, key=key, value=value, headers=headers)
        assert operation.id.encode() == key


@given(value=st.none() | any_bytes, content_type=content_types)
def test_whatever_is_asked_is_a_request_or_a_bad_request(value: bytes | None, content_type: str) -> None:
    with contextlib.suppress(BadRequest):
        assert decode_request(value, content_type).top_k > 0


@pytest.mark.parametrize(
    "read",
    [
        decode_batch,
        decode_receipt,
        lambda value: decode_reply(value, hdr.JSON),
        lambda value: decode_reply(value, hdr.MSGPACK),
    ],
    ids=["batch", "receipt", "reply-json", "reply-msgpack"],
)
@given(value=any_bytes)
def test_whatever_is_read_is_a_message_or_a_decode_error(read, value: bytes) -> None:
    with contextlib.suppress(msgspec.DecodeError):
        assert read(value).v == 1


@given(headers=any_headers)
def test_whatever_the_headers_say_they_can_be_read(headers: hdr.Headers) -> None:
    reject = read_reject(headers)
    assert reject is None or reject.source.offset >= 0
    assert not any(name.startswith("afterimage-reject-") for name, _ in redrive_headers(headers))
