"""What all messages say about an image: its id, its attributes, and which upload event a fact comes from."""

import math
import unicodedata
from datetime import datetime

import msgspec

from shared.events import headers as hdr
from shared.events.faults import PoisonInput, RejectReason

VERSION = 1
MAX_ID_BYTES = 512
MAX_ATTRIBUTES_BYTES = 16 * 1024
MAX_INLINE_BYTES = 256 * 1024

_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's control characters, lone surrogates, line and paragraph separators."""

Scalar = str | int | float | bool | None
AttributeValue = Scalar | list[Scalar]
Attributes = dict[str, AttributeValue]


# gc=False, as in all structs of which an index holds one a row: none is ever part of a cycle, and looking for cycles
# among them, again and again, took most of the time of decoding operations.
class SourcePosition(msgspec.Struct, frozen=True, gc=False, array_like=True, order=True):
    """Where the upload event of an image stands on `images.uploaded`. For one id, the highest offset wins.

    All events of one id stand on one partition (the extractor forwards those that do not), so that offsets compare.
    """

    offset: int
    partition: int

    def headers(self) -> list[tuple[str, bytes]]:
        return hdr.encode([(hdr.SOURCE_PARTITION, self.partition), (hdr.SOURCE_OFFSET, self.offset)])


def source_from_headers(headers: hdr.Headers) -> SourcePosition | None:
    """The position that a record names as its origin; None where it names none."""
    partition = hdr.integer(headers, hdr.SOURCE_PARTITION)
    offset = hdr.integer(headers, hdr.SOURCE_OFFSET)
    if partition is None or offset is None or partition < 0 or offset < 0:
        return None
    return SourcePosition(offset=offset, partition=partition)


def check_id(image_id: object) -> str:
    """The id itself, when it can be one: 1 to 512 bytes of UTF-8 without control characters.

    Raises PoisonInput (malformed_event).
    """
    if not isinstance(image_id, str) or not image_id:
        raise PoisonInput(RejectReason.MALFORMED_EVENT, "an image needs an id: set the record's key or the field 'id'")
    size = len(image_id.encode("utf-8", "surrogatepass"))
    if size > MAX_ID_BYTES:
        raise PoisonInput(
            RejectReason.MALFORMED_EVENT,
            f"the id has {size} bytes, more than {MAX_ID_BYTES}: {image_id[:40]!r}…",
        )
    if any(unicodedata.category(character) in _UNFIT for character in image_id):
        raise PoisonInput(RejectReason.MALFORMED_EVENT, f"the id {image_id!r} holds control characters")
    return image_id


def id_from_key(key: bytes | None) -> str | None:
    """The id that a record's key names; None for a record without a key. Raises PoisonInput."""
    if not key:
        return None
    try:
        return check_id(key.decode())
    except UnicodeDecodeError:
        raise PoisonInput(RejectReason.MALFORMED_EVENT, f"the record's key {key[:40]!r} is not UTF-8") from None


def check_attributes(attributes: Attributes) -> Attributes:
    """The attributes themselves, when all of them can be stored and they are no larger than 16 KiB as JSON.

    Whole numbers have 64 bits with their sign, others are finite. Raises PoisonInput (malformed_event).
    """
    for name, value in attributes.items():
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, int) and not -(2**63) <= item < 2**63:
                raise PoisonInput(
                    RejectReason.MALFORMED_EVENT, f"the attribute {name[:40]!r} does not fit 64 bits: send it as text"
                )
            if isinstance(item, float) and not math.isfinite(item):
                raise PoisonInput(RejectReason.MALFORMED_EVENT, f"the attribute {name[:40]!r} is no finite number")
    size = len(msgspec.json.encode(attributes))
    if size > MAX_ATTRIBUTES_BYTES:
        raise PoisonInput(
            RejectReason.MALFORMED_EVENT,
            f"the attributes take {size} bytes as JSON, more than {MAX_ATTRIBUTES_BYTES}",
        )
    return attributes


def epoch_ms(moment: datetime | None) -> int | None:
    """Unix time in milliseconds."""
    return None if moment is None else round(moment.timestamp() * 1000)
