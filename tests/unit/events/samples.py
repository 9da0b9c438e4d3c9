"""One value of each message type, every field set, for the golden files and whoever needs an example."""

from datetime import UTC, datetime

from shared.events.faults import PoisonInput, RejectReason
from shared.events.features import FeatureRecord
from shared.events.images import SourcePosition
from shared.events.operations import Delete, Upsert, make_batch
from shared.events.receipts import Effect, Receipt
from shared.events.rejects import reject_headers
from shared.events.search_replies import ErrorCode, Hit, SearchFailure, SearchReply, Timings
from shared.events.search_requests import SearchRequest
from shared.events.upload_forms import UploadImage
from shared.events.vectors import pack_vector

GIF = bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b")
"""A whole image of one pixel, in 35 bytes."""

TAKEN = datetime(2026, 3, 14, 9, 26, 53, 589000, tzinfo=UTC)
TAKEN_MS = 1_773_480_413_589

UPLOAD_BY_URI = UploadImage(
    id="shop/cat-1.jpg",
    uri="s3://shop/cat-1.jpg",
    attributes={"category": "cat", "price": 12.5, "stock": 3, "sale": True, "tags": ["tabby", 7], "note": None},
    occurred_at=TAKEN,
)
UPLOAD_INLINE = UploadImage(id="東京/猫 1", data=GIF)

FEATURE = FeatureRecord(
    v=1,
    id="shop/cat-1.jpg",
    code=bytes(range(16)),
    scheme="efficientnet_lite0-i8-5f3c",
    source=SourcePosition(offset=1041, partition=2),
    uploaded_at=TAKEN_MS + 500,
    occurred_at=TAKEN_MS,
    uri="s3://shop/cat-1.jpg",
    attributes={"category": "cat", "price": 12.5, "stock": 3, "sale": True, "tags": ["tabby", 7], "note": None},
)
FEATURE_BARE = FeatureRecord(
    v=1, id="cat-2", code=b"\x00\xff", scheme="s", source=SourcePosition(offset=0, partition=0), uploaded_at=1
)

UPSERT = Upsert(
    offset=77,
    id=FEATURE.id,
    source=FEATURE.source,
    uploaded_at=FEATURE.uploaded_at,
    code=FEATURE.code,
    scheme=FEATURE.scheme,
    occurred_at=FEATURE.occurred_at,
    uri=FEATURE.uri,
    attributes=FEATURE.attributes,
)
DELETE = Delete(offset=78, id="dog", source=SourcePosition(offset=1042, partition=2), uploaded_at=TAKEN_MS)
BATCH = make_batch(incarnation="01JPA0", previous=76, position=80, operations=[UPSERT, DELETE])
TRACED_BATCH = make_batch(
    incarnation="01JPA0",
    previous=76,
    position=80,
    operations=[UPSERT, DELETE],
    traces={UPSERT.offset: bytes(range(24)), DELETE.offset: bytes(range(100, 124))},
)

RECEIPT = Receipt(
    id="shop/cat-1.jpg",
    effect=Effect.INDEXED,
    shard=2,
    position=77,
    source_partition=2,
    source_offset=1041,
    uploaded_at=TAKEN_MS + 500,
    indexed_at=TAKEN_MS + 900,
)

REQUEST_BY_IMAGE = SearchRequest(
    image=GIF,
    top_k=5,
    min_score=0.25,
    min_position={2: 77},
    timeout_ms=2000,
    filter={"category": "cat"},
)
REQUEST_BY_VECTOR = SearchRequest(vector=[0.5, -0.25, 1.0])
REQUEST_BY_PACKED_VECTOR = SearchRequest(vector=pack_vector([0.5, -0.25, 1.0]))
REQUEST_BY_URI = SearchRequest(uri="s3://shop/cat-1.jpg")
REQUEST_BY_TEXT = SearchRequest(text="a tabby cat on a sofa", top_k=5)
REQUEST_BY_ID = SearchRequest(id="shop/cat-1.jpg")

REPLY = SearchReply(
    hits=[
        Hit(
            id="shop/cat-1.jpg",
            score=0.96875,
            uri="s3://shop/cat-1.jpg",
            attributes={"category": "cat", "tags": ["tabby"]},
            occurred_at=TAKEN_MS,
        ),
        Hit(id="cat-2", score=-0.5),
    ],
    timings=Timings(queue_ms=1.5, fetch_ms=0.0, decode_ms=0.5, encode_ms=8.25, search_ms=0.75, total_ms=11.0),
    positions={0: 12, 2: 80},
    scheme="efficientnet_lite0-i8-5f3c",
    searcher="searcher-0",
)
FAILURE = SearchReply(
    error=SearchFailure(code=ErrorCode.UNKNOWN_ID, message="no image 'cat-9' is indexed"), searcher="searcher-0"
)

FAULT = PoisonInput(RejectReason.DECODE_FAILED, "the JPEG ends after 512 of 2048 bytes")
REJECT_HEADERS = reject_headers(
    FAULT,
    stage="decode",
    source=SourcePosition(offset=1041, partition=2),
    uploaded_at=TAKEN_MS,
    original=[("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")],
)
