"""Search replies, as JSON or msgpack by the record's content type."""

from enum import StrEnum
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from shared.events import headers as hdr
from shared.events.decoding import decode
from shared.events.images import VERSION, Attributes


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


class SegmentSearch(msgspec.Struct, frozen=True, kw_only=True):
    """What a search did in one segment of a shard.

    segment: its name; empty for the growing one. rows: that are current. compared: how many of them with the query; by
    a scan those that the filter lets through, by a walk in the graph those on the way, others among them.
    """

    shard: int
    segment: str
    rows: int
    way: Literal["scan", "walk"]
    compared: int


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """expansion: candidates that a walk in a graph keeps in view: more find more of the nearest, and take longer."""

    expansion: int
    segments: list[SegmentSearch]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The shards that an answer comes from, ascending, of how many there are."""

    shards: list[int]
    of: int

    @property
    def missing(self) -> list[int]:
        """The shards that it does not come from."""
        return sorted(set(range(self.of)) - set(self.shards))


class SearchReply(msgspec.Struct, frozen=True, kw_only=True):
    """The ranked hits, best first; or, with `error`, why there are none.

    positions: shard → the offset that the answer has seen, or, with `not_yet`, those that the replica has reached.
    explanation: where it was asked for. batch: the replies to a batch, in its order; then there is nothing else.
    coverage: where the answer comes from some of the shards alone; others may hold better hits. A searcher that holds
    some answers for those, with all hits up to `offset` + `top_k`. codes: of the ids that it was asked about, as far as
    it knows them, for the others to be asked by. What is UNSET is left out.
    """

    v: int = VERSION
    hits: list[Hit] = []
    error: SearchFailure | None = None
    timings: Timings = Timings()
    positions: dict[int, int] = {}
    scheme: str = ""
    searcher: str = ""
    explanation: Explanation | UnsetType = UNSET
    batch: list["SearchReply"] | UnsetType = UNSET
    coverage: Coverage | UnsetType = UNSET
    codes: dict[str, bytes] | UnsetType = UNSET

    @property
    def missing(self) -> list[int]:
        """The shards that the answer does not come from; none where it comes from all."""
        return self.coverage.missing if self.coverage else []


_reply_json = msgspec.json.Decoder(SearchReply)
_reply_msgpack = msgspec.msgpack.Decoder(SearchReply)


def encode_reply(reply: SearchReply, content_type: str) -> bytes:
    return msgspec.msgpack.encode(reply) if content_type == hdr.MSGPACK else msgspec.json.encode(reply)


def decode_reply(value: bytes, content_type: str) -> SearchReply:
    """Raises msgspec.DecodeError where the bytes are no reply of a version known here."""
    reply = decode(_reply_msgpack if content_type == hdr.MSGPACK else _reply_json, value)
    if reply.v != VERSION:
        raise msgspec.DecodeError(f"search reply of version {reply.v}; this release knows {VERSION}")
    return reply
