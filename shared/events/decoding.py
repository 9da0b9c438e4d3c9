"""Decoding bytes of any origin: whatever is wrong with them is a `msgspec.DecodeError`."""

from typing import TypeVar

import msgspec

T = TypeVar("T")


def decode(decoder: msgspec.json.Decoder[T] | msgspec.msgpack.Decoder[T], data: bytes) -> T:
    """What the decoder reads. Text that is no UTF-8 and a nesting too deep for the stack are DecodeErrors as well."""
    try:
        return decoder.decode(data)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"text that is not UTF-8: {error}") from None
    except RecursionError:
        raise msgspec.DecodeError("the value is nested too deeply") from None
