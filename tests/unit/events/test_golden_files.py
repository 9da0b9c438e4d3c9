"""The bytes on the bus are pinned: what was written by one release is read by the next, and written alike."""

import json

import pytest

from shared.events import headers as hdr
from shared.events.features import FeatureRecord, feature_of, read_operation
from shared.events.images import SourcePosition
from shared.events.operations import decode_batch
from shared.events.receipts import decode_receipt
from shared.events.rejects import read_reject
from shared.events.search_replies import SearchReply, decode_reply
from shared.events.search_requests import SearchRequest, decode_request
from shared.events.upload_forms import DeleteImage, UploadEvent, UploadImage
from shared.events.uploads import read_upload_events
from tests.unit.events import samples
from tests.unit.events.golden_files import GOLDEN, golden, golden_record
from tests.unit.events.regenerate import WRITTEN


def object_created(key: str, size: int) -> UploadImage:
    return UploadImage(
        id=f"shop/{key}",
        uri=f"s3://shop/{key}",
        attributes={"bucket": "shop", "key": key, "size": size},
        occurred_at=samples.TAKEN,
    )


UPLOADS: dict[str, list[UploadEvent]] = {
    "tombstone": [DeleteImage(id="shop/cat-1.jpg")],
    "native_by_uri": [samples.UPLOAD_BY_URI],
    "native_inline": [samples.UPLOAD_INLINE],
    "cloudevent_binary": [
        UploadImage(id="cat-1", data=samples.GIF, attributes={"camera": "3"}, occurred_at=samples.TAKEN)
    ],
    "cloudevent_binary_native": [
        UploadImage(
            id="cat-1",
            uri="https://example.com/cat-1.jpg",
            attributes={"category": "cat", "camera": "front", "shop": "north"},
            occurred_at=samples.TAKEN,
        )
    ],
    "cloudevent_structured_native": [
        UploadImage(
            id="cat-1",
            uri="https://example.com/cat-1.jpg",
            attributes={"category": "cat", "camera": 3},
            occurred_at=samples.TAKEN,
        )
    ],
    "cloudevent_structured_inline": [
        UploadImage(id="cat-1", data=samples.GIF, attributes={"camera": 3}, occurred_at=samples.TAKEN)
    ],
    "cloudevent_deleted": [DeleteImage(id="cat-1")],
    "s3_object_created": [object_created("cat-1.jpg", 2048)],
    "s3_object_removed": [DeleteImage(id="shop/cat-1.jpg")],
    "s3_encoded_key": [object_created("2026/red cat & 猫+1 100%.jpg", 5242880)],
    "s3_several_records": [
        object_created("cat-1.jpg", 2048),
        DeleteImage(id="shop/dog.jpg"),
        DeleteImage(id="shop/old.jpg"),
    ],
    "s3_test_event": [],
    "minio_object_created": [object_created("2026/red cat.jpg", 2048)],
    "minio_object_removed": [DeleteImage(id="shop/2026/red cat.jpg")],
}

REQUESTS: dict[str, SearchRequest] = {
    "request_by_image": samples.REQUEST_BY_IMAGE,
    "request_by_vector": samples.REQUEST_BY_VECTOR,
    "request_by_packed_vector": samples.REQUEST_BY_PACKED_VECTOR,
    "request_by_uri": samples.REQUEST_BY_URI,
    "request_by_text": samples.REQUEST_BY_TEXT,
    "request_by_id": samples.REQUEST_BY_ID,
}
REPLIES: dict[str, SearchReply] = {"reply": samples.REPLY, "reply_failure": samples.FAILURE}
CONTENT_TYPES = {".json": hdr.JSON, ".bin": hdr.MSGPACK}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_the_golden_file_byte_for_byte(name: str) -> None:
    assert WRITTEN[name]() == golden(name)


@pytest.mark.parametrize("name", UPLOADS)
def test_an_upload_record_asks_for_what_its_form_says(name: str) -> None:
    record = golden_record(name)
    assert read_upload_events(record.key, record.value, record.headers) == UPLOADS[name]


@pytest.mark.parametrize(("name", "expected"), [("feature", samples.FEATURE), ("feature_bare", samples.FEATURE_BARE)])
def test_a_feature_record_is_an_upsert_of_the_same_facts(name: str, expected: FeatureRecord) -> None:
    operation = read_operation(
        offset=77, timestamp=0, key=expected.id.encode(), value=golden(f"{name}.bin"), headers=[]
    )
    assert operation.offset == 77
    assert feature_of(operation) == expected


def test_a_feature_without_a_value_is_a_delete_by_the_event_in_its_headers() -> None:
    headers = hdr.encode(json.loads(golden("feature_delete_headers.json")).items())
    operation = read_operation(offset=78, timestamp=samples.TAKEN_MS, key=b"dog", value=None, headers=headers)
    assert operation == samples.DELETE


def test_an_operation_batch_is_read_as_it_was_written() -> None:
    assert decode_batch(golden("operation_batch.bin")) == samples.BATCH
    assert decode_batch(golden("operation_batch_traced.bin")) == samples.TRACED_BATCH


def test_a_receipt_is_read_as_it_was_written() -> None:
    receipt = decode_receipt(golden("receipt.json"))
    assert receipt == samples.RECEIPT
    assert receipt.source == SourcePosition(offset=1041, partition=2)


def test_a_reject_tells_its_reason_and_its_origin() -> None:
    reject = read_reject(hdr.encode(json.loads(golden("reject_headers.json")).items()))
    assert reject is not None
    assert (reject.reason, reject.detail, reject.stage) == (samples.FAULT.reason, samples.FAULT.detail, "decode")
    assert (reject.source, reject.uploaded_at) == (SourcePosition(offset=1041, partition=2), samples.TAKEN_MS)
    assert reject.redrivable


@pytest.mark.parametrize("name", [name for name in WRITTEN if name.startswith("request_")])
def test_a_request_is_read_as_it_was_written(name: str) -> None:
    stem, dot, suffix = name.partition(".")
    assert decode_request(golden(name), CONTENT_TYPES[dot + suffix]) == REQUESTS[stem]


@pytest.mark.parametrize("name", [name for name in WRITTEN if name.startswith("reply")])
def test_a_reply_is_read_as_it_was_written(name: str) -> None:
    stem, dot, suffix = name.partition(".")
    assert decode_reply(golden(name), CONTENT_TYPES[dot + suffix]) == REPLIES[stem]


def test_every_golden_file_is_used() -> None:
    sidecars = {f"{name}.record.json" for name in UPLOADS}
    values = {json.loads(golden(sidecar))["value"] for sidecar in sidecars} - {None}
    assert {path.name for path in GOLDEN.iterdir()} - {".gitattributes"} == sidecars | values | set(WRITTEN)
