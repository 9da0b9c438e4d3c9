"""Search requests and replies."""

import math
import struct

import msgspec
import numpy as np
import pytest

from shared.events import headers as hdr
from shared.events.images import MAX_INLINE_BYTES
from shared.events.search_replies import ErrorCode, SearchFailure, SearchReply, decode_reply, encode_reply
from shared.events.search_requests import (
    MAX_TEXT,
    MAX_VECTOR,
    BadRequest,
    SearchRequest,
    decode_request,
    encode_request,
)
from shared.events.vectors import pack_vector, read_vector
from tests.unit.events import samples

BOTH = pytest.mark.parametrize("content_type", [hdr.JSON, hdr.MSGPACK])


def encoded(fields: object, content_type: str = hdr.JSON) -> bytes:
    return (msgspec.msgpack if content_type == hdr.MSGPACK else msgspec.json).encode(fields)


@pytest.mark.parametrize("content_type", ["", "text/plain", hdr.JSON])
def test_what_is_not_msgpack_by_its_content_type_is_json(content_type: str) -> None:
    assert decode_request(b'{"id": "cat"}', content_type) == SearchRequest(id="cat")


@BOTH
def test_unknown_fields_change_nothing(content_type: str) -> None:
    assert decode_request(encoded({"id": "cat", "later": {"a": [1]}}, content_type), content_type) == SearchRequest(
        id="cat"
    )
    assert decode_reply(encoded({"v": 1, "later": {"a": [1]}}, content_type), content_type) == SearchReply()


@BOTH
def test_another_version_is_refused(content_type: str) -> None:
    with pytest.raises(BadRequest, match="version 2 of search requests; this release knows 1"):
        decode_request(encoded({"v": 2, "id": "cat"}, content_type), content_type)
    with pytest.raises(msgspec.DecodeError, match="reply of version 2; this release knows 1"):
        decode_reply(encoded({"v": 2}, content_type), content_type)


@BOTH
@pytest.mark.parametrize("code", ErrorCode)
def test_every_error_code_is_read_back(code: ErrorCode, content_type: str) -> None:
    reply = SearchReply(error=SearchFailure(code=code, message="why"))
    assert decode_reply(encode_reply(reply, content_type), content_type) == reply


@BOTH
def test_a_filter_travels_as_it_is(content_type: str) -> None:
    request = SearchRequest(id="cat", filter={"and": [{"price": {"lt": 5}}, {"tags": ["a", None, True]}]})
    assert decode_request(encode_request(request, content_type), content_type) == request


@BOTH
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "one of 'image', 'uri', 'id', 'vector', 'text', 'code', 'examples' and 'batch'; this one has none"),
        ({"id": "a", "uri": "u"}, r"this one has \['uri', 'id'\]"),
        ({"image": b"GIF", "vector": [1.0]}, r"this one has \['image', 'vector'\]"),
        ({"image": b""}, "1 to 262144 bytes; larger ones go by 'uri'"),
        ({"image": bytes(MAX_INLINE_BYTES + 1)}, "1 to 262144 bytes; larger ones go by 'uri'"),
        ({"vector": []}, r"length >= 1 - at `\$.vector`"),
        ({"vector": [1.0] * (MAX_VECTOR + 1)}, r"length <= 16384 - at `\$.vector`"),
        ({"vector": ["a"]}, r"at `\$.vector\[(0|\.\.\.)\]`"),
        ({"vector": [0.0, -0.0]}, "one that is not zero"),
        ({"vector": b""}, r"length >= 4 - at `\$.vector`"),
        ({"vector": bytes(4 * MAX_VECTOR + 4)}, r"length <= 65536 - at `\$.vector`"),
        ({"vector": bytes(8)}, "one that is not zero"),
        ({"vector": b"1.0, 2.0!"}, "four bytes each: 9 bytes are no whole number"),
        ({"text": " \n"}, "a query text has at least one word"),
        ({"text": "x" * (MAX_TEXT + 1)}, r"length <= 500 - at `\$.text`"),
        ({"text": "a cat", "id": "a"}, r"this one has \['id', 'text'\]"),
        ({"id": "a", "top_k": 0}, r">= 1 - at `\$.top_k`"),
        ({"id": "a", "top_k": 1001}, r"<= 1000 - at `\$.top_k`"),
        ({"id": "a", "timeout_ms": 0}, r"at `\$.timeout_ms`"),
        ({"id": "a", "timeout_ms": 600_001}, r"at `\$.timeout_ms`"),
        ({"id": "a", "min_position": {"x": 1}}, r"at `key` in `\$.min_position`"),
        ({"id": "a", "min_score": "high"}, r"at `\$.min_score`"),
        ({"id": 7}, r"at `\$.id`"),
        ({"id": "a", "offset": 9_991}, "'offset' and 'top_k' reach to rank 10000 at most"),
        ({"id": "a", "region": [0, 0, 1, 1]}, "a 'region' belongs to an 'image' or a 'uri'"),
        ({"uri": "a", "region": [0.5, 0, 0.5, 1]}, r"left before right and top before bottom, not \[0.5, 0.0, 0.5"),
        ({"uri": "a", "region": [0, 0, 1.1, 1]}, "from 0 to 1"),
        ({"uri": "a", "region": [0, 0, 1]}, r"at `\$.region`"),
        ({"examples": []}, r"length >= 1 - at `\$.examples`"),
        ({"examples": [{"id": "a"}], "id": "a"}, r"this one has \['id', 'examples'\]"),
        ({"examples": [{"id": "a"}, {}]}, r"examples\[1\]: an example has one of 'image', .* this one has none"),
        ({"examples": [{"id": "a", "weight": 0}]}, "a weight is a finite number, and not 0"),
        ({"examples": [{"id": "a", "weight": -1}]}, "at least one of 'examples' has a weight above 0"),
        ({"examples": [{"uri": "a"}], "region": [0, 0, 1, 1]}, "each of 'examples' has a 'region' of its own"),
        ({"batch": []}, r"length >= 1 - at `\$.batch`"),
        ({"batch": [{"id": "a"}, {"vector": [0]}]}, r"batch\[1\]: a query vector has finite numbers"),
        ({"batch": [{"batch": [{"id": "a"}]}]}, r"batch\[0\]: a request in a batch has no batch of its own"),
        ([], "Expected `object`, got `array`"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_that_breaks_a_rule_is_told_the_rule(fields: object, says: str, content_type: str) -> None:
    with pytest.raises(BadRequest, match=says):
        decode_request(encoded(fields, content_type), content_type)


@BOTH
def test_a_vector_in_bytes_is_the_same_in_numbers(content_type: str) -> None:
    numbers = [0.5, -0.25, 1e-30, 3e38]
    packed = decode_request(encoded({"vector": pack_vector(numbers)}, content_type), content_type)
    assert packed.vector == struct.pack("<4f", *numbers)
    assert np.array_equal(read_vector(packed.vector), np.float32(numbers))
    assert np.array_equal(read_vector(numbers), numbers)
    assert pack_vector(np.array(numbers)) == pack_vector(np.float32(numbers)) == packed.vector


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e39])
def test_a_vector_in_bytes_is_finite(number: float) -> None:
    with pytest.raises(BadRequest, match="finite"):
        decode_request(encoded({"vector": pack_vector([1.0, number])}, hdr.MSGPACK), hdr.MSGPACK)


def test_a_vector_is_one_row() -> None:
    with pytest.raises(ValueError, match=r"not an array of shape \(1, 3\)"):
        pack_vector(np.ones((1, 3)))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["vector", "min_score"])
def test_numbers_in_msgpack_are_finite_as_in_json(field: str, number: float) -> None:
    fields = {"vector": [1.0]} | {field: [1.0, number] if field == "vector" else number}
    with pytest.raises(BadRequest, match="finite"):
        decode_request(encoded(fields, hdr.MSGPACK), hdr.MSGPACK)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff\xd8",
        b"nonsense",
        b'{"id": NaN}',
        b'{"id": "\\ud800"}',
        b'{"id": "\xff"}',
        b'{"id": "a", "min_score": 1e999}',
        b'{"id": "a", "image": "not base64!"}',
        b'{"id": "a", "filter": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"id": "a", "later": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"id": "a", "filter": ' + b"9" * 5000 + b"}",
    ],
    ids=["null", "empty", "jpeg", "text", "nan", "surrogate", "not-utf-8", "1e999", "base64", "bomb", "bomb-unknown",
         "huge-number"],
)  # fmt: skip
def test_bytes_that_are_no_json_request_are_a_bad_request(value: bytes | None) -> None:
    with pytest.raises(BadRequest, match="the request cannot be read as application/json"):
        decode_request(value, hdr.JSON)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"\xc1",
        b"\x81\xa2id\xa1\xff",
        b"\x82\xa2id\xa1a\xa6filter" + b"\x91" * 100_000 + b"\xc0",
        b"\x82\xa2id\xa1a\xa5later" + b"\x91" * 100_000 + b"\xc0",
        b"\x82\xa2id\xa1a\xa6filter\x81\x81\x01\x01\x01",
        b"\x82\xa2id\xa1a\xa6filter\xc7\x0c\xff" + b"\xff" * 12,
    ],
    ids=["null", "reserved", "not-utf-8", "bomb", "bomb-unknown", "map-as-key", "impossible-time"],
)
def test_bytes_that_are_no_msgpack_request_are_a_bad_request(value: bytes | None) -> None:
    with pytest.raises(BadRequest, match="the request cannot be read as application/msgpack"):
        decode_request(value, hdr.MSGPACK)


@BOTH
def test_a_value_in_the_other_encoding_is_a_bad_request(content_type: str) -> None:
    other = hdr.MSGPACK if content_type == hdr.JSON else hdr.JSON
    with pytest.raises(BadRequest):
        decode_request(encode_request(samples.REQUEST_BY_IMAGE, other), content_type)


@BOTH
@pytest.mark.parametrize("value", [b"", b"\xc1", b'{"hits": 1}', b'{"later": ' + b"[" * 100_000])
def test_bytes_that_are_no_reply_are_a_decode_error(value: bytes, content_type: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_reply(value, content_type)
