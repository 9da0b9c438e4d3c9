"""Write the golden files of what this release writes: ``python -m tests.unit.events.regenerate``.

Read the diff as a change of the contract: bytes that differ are bytes that an older reader has not seen. Files of forms
that are only read here (CloudEvents, bucket notifications) come from their specifications and are edited by hand.
"""

import json
from collections.abc import Callable, Mapping

from shared.events import headers as hdr
from shared.events.features import encode_feature
from shared.events.operations import encode_batch
from shared.events.receipts import encode_receipt
from shared.events.search_replies import encode_reply
from shared.events.search_requests import encode_request
from shared.events.uploads import write_native
from tests.unit.events import samples
from tests.unit.events.golden_files import GOLDEN


def _sidecar(headers: hdr.Headers) -> bytes:
    readable = {name: value.decode() for name, value in headers}
    return (json.dumps(readable, ensure_ascii=False, indent=2) + "\n").encode()


WRITTEN: Mapping[str, Callable[[], bytes]] = {
    "native_by_uri.json": lambda: write_native(samples.UPLOAD_BY_URI),
    "native_inline.json": lambda: write_native(samples.UPLOAD_INLINE),
    "feature.bin": lambda: encode_feature(samples.FEATURE),
    "feature_bare.bin": lambda: encode_feature(samples.FEATURE_BARE),
    "feature_delete_headers.json": lambda: _sidecar(samples.DELETE.source.headers()),
    "operation_batch.bin": lambda: encode_batch(samples.BATCH),
    "operation_batch_traced.bin": lambda: encode_batch(samples.TRACED_BATCH),
    "receipt.json": lambda: encode_receipt(samples.RECEIPT),
    "reject_headers.json": lambda: _sidecar(samples.REJECT_HEADERS),
    "request_by_image.json": lambda: encode_request(samples.REQUEST_BY_IMAGE),
    "request_by_image.bin": lambda: encode_request(samples.REQUEST_BY_IMAGE, hdr.MSGPACK),
    "request_by_vector.json": lambda: encode_request(samples.REQUEST_BY_VECTOR),
    "request_by_vector.bin": lambda: encode_request(samples.REQUEST_BY_VECTOR, hdr.MSGPACK),
    "request_by_packed_vector.json": lambda: encode_request(samples.REQUEST_BY_PACKED_VECTOR),
    "request_by_packed_vector.bin": lambda: encode_request(samples.REQUEST_BY_PACKED_VECTOR, hdr.MSGPACK),
    "request_by_uri.json": lambda: encode_request(samples.REQUEST_BY_URI),
    "request_by_text.json": lambda: encode_request(samples.REQUEST_BY_TEXT),
    "request_by_id.json": lambda: encode_request(samples.REQUEST_BY_ID),
    "reply.json": lambda: encode_reply(samples.REPLY, hdr.JSON),
    "reply.bin": lambda: encode_reply(samples.REPLY, hdr.MSGPACK),
    "reply_failure.json": lambda: encode_reply(samples.FAILURE, hdr.JSON),
    "reply_failure.bin": lambda: encode_reply(samples.FAILURE, hdr.MSGPACK),
}


def main() -> None:
    for name, write in WRITTEN.items():
        (GOLDEN / name).write_bytes(write())


if __name__ == "__main__":
    main()
