"""Search requests and replies, as JSON or msgpack by the record's content type."""

import math
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from shared.events import headers as hdr
from shared.events.decoding import decode
from shared.events.images import MAX_INLINE_BYTES, VERSION, Attributes

MAX_TOP_K = 1000
MAX_VECTOR = 16_384
MAX_TEXT = 500
"""In characters; CLIP reads 77 tokens, about as many words."""
QUERY_FIELDS = ("image", "uri", "id", "vector", "text")
"""A request has one of these."""
MAX_EXCLUDED = 1000


class ErrorCode(StrEnum):
    """Why a request got no hits. The values are a public contract."""

    BAD_REQUEST = "bad_request"
    UNSUPPORTED = "unsupported"
    IMAGE_REJECTED = "image_rejected"
    """The query image cannot be used; the message begins with the reason."""
    UNKNOWN_ID = "unknown_id"
    NOT_YET = "not_yet"
    """The replica has not reached `min_position` before the deadline."""
    NOT_READY = "not_ready"
    OVERLOADED = "overloaded"
    INTERNAL = "internal"


class SearchRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Find what looks like an image: one of `image` (bytes), `uri`, `id` (of an indexed image), `vector` and `text`.

    vector: float, (dim,), any norm but zero. text: for encoders that have a text side. min_score: only hits at or above
    it. filter: a condition that every hit meets. exclude: ids that no hit has. exact: compare with every image, where a
    graph would lead to about the nearest.
    min_position: shard → offset that the answer must have seen. timeout_ms: counted from the record's timestamp,
    where the header `deadline` is not set.
    """

    v: int = VERSION
    image: bytes | None = None
    uri: str | None = None
    id: str | None = None
    vector: Annotated[list[float], msgspec.Meta(min_length=1, max_length=MAX_VECTOR)] | None = None
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)] | None = None
    top_k: Annotated[int, msgspec.Meta(ge=1, le=MAX_TOP_K)] = 10
    min_score: float | None = None
    min_position: dict[int, int] = {}
    timeout_ms: Annotated[int, msgspec.Meta(ge=1, le=600_000)] | None = None
    filter: dict[str, Any] | None = None
    exclude: Annotated[frozenset[str], msgspec.Meta(max_length=MAX_EXCLUDED)] = frozenset()
    exact: bool = False


class Hit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """score: cosine similarity, -1 to 1, larger is nearer."""

    id: str
    score: float
    uri: str | None = None
    attributes: Attributes = {}
    occurred_at: int | None = None


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time of a query went, in milliseconds. queue: from the record's timestamp to its handling."""

    queue_ms: float = 0.0
    fetch_ms: float = 0.0
    decode_ms: float = 0.0
    encode_ms: float = 0.0
    search_ms: float = 0.0
    total_ms: float = 0.0


class SearchFailure(msgspec.Struct, frozen=True, kw_only=True):
    code: ErrorCode
    message: str


class SearchReply(msgspec.Struct, frozen=True, kw_only=True):
    """The ranked hits, best first; or, with `error`, why there are none.

    positions: shard → the offset that the answer has seen.
    """

    v: int = VERSION
    hits: list[Hit] = []
    error: SearchFailure | None = None
    timings: Timings = Timings()
    positions: dict[int, int] = {}
    scheme: str = ""
    searcher: str = ""


class BadRequest(Exception):
    """The request breaks the contract; the text says how."""


_reply_json = msgspec.json.Decoder(SearchReply)
_reply_msgpack = msgspec.msgpack.Decoder(SearchReply)
_request_json = msgspec.json.Decoder(SearchRequest)
_request_msgpack = msgspec.msgpack.Decoder(SearchRequest)


def encode_request(request: SearchRequest, content_type: str = hdr.JSON) -> bytes:
    data = msgspec.to_builtins(request, builtin_types=(bytes,)) | {"v": request.v}
    return msgspec.msgpack.encode(data) if content_type == hdr.MSGPACK else msgspec.json.encode(data)


def decode_request(value: bytes | None, content_type: str) -> SearchRequest:
    """Read a request; what is not msgpack by its content type is JSON. Raises BadRequest."""
    try:
        decoder = _request_msgpack if content_type == hdr.MSGPACK else _request_json
        request = decode(decoder, value or b"")
    except msgspec.DecodeError as error:
        raise BadRequest(f"the request cannot be read as {content_type or hdr.JSON}: {error}") from None
    if request.v != VERSION:
        raise BadRequest(f"version {request.v} of search requests; this release knows {VERSION}")
    given = [name for name in QUERY_FIELDS if getattr(request, name) is not None]
    if len(given) != 1:
        raise BadRequest(
            f"a request has one of 'image', 'uri', 'id', 'vector' and 'text'; this one has {given or 'none'}"
        )
    if request.image is not None and not 0 < len(request.image) <= MAX_INLINE_BYTES:
        raise BadRequest(f"an inline query image has 1 to {MAX_INLINE_BYTES} bytes; larger ones go by 'uri'")
    if request.vector is not None and not 0 < math.hypot(*request.vector) < math.inf:
        raise BadRequest("a query vector has finite numbers, and one that is not zero")
    if request.text is not None and not request.text.strip():
        raise BadRequest("a query text has at least one word")
    if request.min_score is not None and not math.isfinite(request.min_score):
        raise BadRequest("'min_score' is a finite number")
    return request


def encode_reply(reply: SearchReply, content_type: str) -> bytes:
    return msgspec.msgpack.encode(reply) if content_type == hdr.MSGPACK else msgspec.json.encode(reply)


def decode_reply(value: bytes, content_type: str) -> SearchReply:
    """Raises msgspec.DecodeError where the bytes are no reply of a version known here."""
    reply = decode(_reply_msgpack if content_type == hdr.MSGPACK else _reply_json, value)
    if reply.v != VERSION:
        raise msgspec.DecodeError(f"search reply of version {reply.v}; this release knows {VERSION}")
    return reply
