"""Search requests, as JSON or msgpack by the record's content type."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np

from shared.events import headers as hdr
from shared.events.decoding import decode
from shared.events.images import MAX_INLINE_BYTES, VERSION
from shared.events.region import Region
from shared.events.vectors import ITEM, read_vector

MAX_TOP_K = 1000
MAX_VECTOR = 16_384
MAX_TEXT = 500
"""In characters; CLIP reads 77 tokens, about as many words."""
MAX_RANK = 10_000
"""Of the last hit that can be asked for: `offset` + `top_k`."""
MAX_EXAMPLES = 32
MAX_BATCH = 64
EXAMPLE_FIELDS = ("image", "uri", "id", "vector", "text", "code")
"""An example has one of these."""
QUERY_FIELDS = (*EXAMPLE_FIELDS, "examples", "batch")
"""A request has one of these."""
MAX_EXCLUDED = 1000

_Vector = (
    Annotated[list[float], msgspec.Meta(min_length=1, max_length=MAX_VECTOR)]
    | Annotated[bytes, msgspec.Meta(min_length=ITEM.itemsize, max_length=ITEM.itemsize * MAX_VECTOR)]
)
_Code = Annotated[bytes, msgspec.Meta(min_length=1, max_length=4 * MAX_VECTOR)]
_Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]


class Pictured(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of `image` (bytes), `uri`, `id` (of an indexed image), `vector`, `text` and `code`.

    vector: float, (dim,), any norm but zero; as numbers, or packed: `pack_vector`. text: for encoders that have a text
    side. code: as a reply gave it.
    region: the part of the picture that counts, of `image` and `uri`.
    """

    image: bytes | None = None
    uri: str | None = None
    id: str | None = None
    vector: _Vector | None = None
    text: _Text | None = None
    code: _Code | None = None
    region: Region | None = None


_P = TypeVar("_P", bound=Pictured)


class Example(Pictured, frozen=True, kw_only=True, omit_defaults=True):
    """What hits should look like. weight: how much it counts among several; below 0, hits should not look like it."""

    weight: float = 1.0


class SearchRequest(Pictured, frozen=True, kw_only=True, omit_defaults=True):
    """Find what looks like one example, as in `Pictured`, or like several; or answer several requests at once.

    examples: several, with their weights. batch: several requests, each answered by itself; of this one only
    `timeout_ms` counts then. offset: how many of the best hits are left out, those of the pages before. min_score: only
    hits at or above it. filter: a condition that every hit meets. exclude: ids that no hit has. exact: compare with
    every image, where a graph would lead to about the nearest. attributes: the names of those that hits bring; all of
    them where it is left out. explain: say what was searched, and how.
    min_position: shard → offset that the answer must have seen. timeout_ms: counted from the record's timestamp,
    where the header `deadline` is not set.
    """

    v: int = VERSION
    examples: Annotated[list[Example], msgspec.Meta(min_length=1, max_length=MAX_EXAMPLES)] | None = None
    batch: Annotated[list["SearchRequest"], msgspec.Meta(min_length=1, max_length=MAX_BATCH)] | None = None
    top_k: Annotated[int, msgspec.Meta(ge=1, le=MAX_TOP_K)] = 10
    offset: Annotated[int, msgspec.Meta(ge=0, le=MAX_RANK)] = 0
    attributes: Annotated[frozenset[str], msgspec.Meta(max_length=MAX_EXCLUDED)] | None = None
    explain: bool = False
    min_score: float | None = None
    min_position: dict[int, int] = {}
    timeout_ms: Annotated[int, msgspec.Meta(ge=1, le=600_000)] | None = None
    filter: dict[str, Any] | None = None
    exclude: Annotated[frozenset[str], msgspec.Meta(max_length=MAX_EXCLUDED)] = frozenset()
    exact: bool = False


def examples_of(request: SearchRequest) -> list[Pictured]:
    """What hits should look like, or not. request: not a batch."""
    return [request] if request.examples is None else list(request.examples)


def ids_of(request: SearchRequest) -> set[str]:
    """The indexed images that a request is about. request: not a batch."""
    return {example.id for example in examples_of(request) if example.id is not None}


def with_codes(request: SearchRequest, codes: Mapping[str, bytes]) -> SearchRequest:
    """The same request by the codes of its ids, as far as they are known. request: not a batch."""
    if request.examples is None:
        return _with_code(request, codes)
    return msgspec.structs.replace(request, examples=[_with_code(example, codes) for example in request.examples])


def _with_code(example: _P, codes: Mapping[str, bytes]) -> _P:
    if example.id is None or example.id not in codes:
        return example
    return msgspec.structs.replace(example, id=None, code=codes[example.id])


class BadRequest(Exception):
    """The request breaks the contract; the text says how."""


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
    _check(request, where="")
    return request


def _check(request: SearchRequest, *, where: str) -> None:
    """Raises BadRequest for what the types do not say. where: of the request in a batch, for the message."""
    given = [name for name in QUERY_FIELDS if getattr(request, name) is not None]
    if len(given) != 1:
        raise BadRequest(f"{where}a request has one of {_names(QUERY_FIELDS)}; this one has {given or 'none'}")
    if request.batch is not None:
        if where:
            raise BadRequest(f"{where}a request in a batch has no batch of its own")
        for number, each in enumerate(request.batch):
            _check(each, where=f"batch[{number}]: ")
        return
    if request.offset + request.top_k > MAX_RANK:
        raise BadRequest(f"{where}'offset' and 'top_k' reach to rank {MAX_RANK} at most")
    if request.min_score is not None and not math.isfinite(request.min_score):
        raise BadRequest(f"{where}'min_score' is a finite number")
    _check_examples(request, where=where)


def _check_examples(request: SearchRequest, *, where: str) -> None:
    if request.examples is None:
        _check_example(request, where=where)
        return
    if request.region is not None:
        raise BadRequest(f"{where}each of 'examples' has a 'region' of its own")
    for number, example in enumerate(request.examples):
        _check_example(example, where=f"{where}examples[{number}]: ")
    if not any(example.weight > 0 for example in request.examples):
        raise BadRequest(f"{where}at least one of 'examples' has a weight above 0")


def _check_example(example: Pictured, *, where: str) -> None:
    given = [name for name in EXAMPLE_FIELDS if getattr(example, name) is not None]
    if len(given) != 1:
        raise BadRequest(f"{where}an example has one of {_names(EXAMPLE_FIELDS)}; this one has {given or 'none'}")
    if example.image is not None and not 0 < len(example.image) <= MAX_INLINE_BYTES:
        raise BadRequest(f"{where}an inline query image has 1 to {MAX_INLINE_BYTES} bytes; larger ones go by 'uri'")
    if example.vector is not None:
        _check_vector(example.vector, where=where)
    if example.text is not None and not example.text.strip():
        raise BadRequest(f"{where}a query text has at least one word")
    if example.region is not None and given[0] not in ("image", "uri"):
        raise BadRequest(f"{where}a 'region' belongs to an 'image' or a 'uri'")
    if isinstance(example, Example) and not (math.isfinite(example.weight) and example.weight):
        raise BadRequest(f"{where}a weight is a finite number, and not 0")


def _check_vector(vector: Sequence[float] | bytes, *, where: str) -> None:
    try:
        numbers = read_vector(vector)
    except ValueError as error:
        raise BadRequest(f"{where}{error}") from None
    if not np.isfinite(numbers).all() or not numbers.any():
        raise BadRequest(f"{where}a query vector has finite numbers, and one that is not zero")


def _names(fields: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in fields[:-1]) + f" and '{fields[-1]}'"
