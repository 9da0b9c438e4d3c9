"""What can be wrong with an input, by what must be done about it."""

from enum import StrEnum


class RejectReason(StrEnum):
    """Why an upload was rejected. The values are a public contract: they stand in headers, metrics and dashboards."""

    MALFORMED_EVENT = "malformed_event"
    """The record is none of the known forms, or lacks what its form requires."""
    UNSUPPORTED_VERSION = "unsupported_version"
    """The event says that it follows a version of the contract that this release does not know."""
    INLINE_TOO_LARGE = "inline_too_large"
    """An inline image above 256 KiB: send a reference instead."""
    URI_NOT_ALLOWED = "uri_not_allowed"
    """The scheme, the host or the path is outside of what this deployment may read."""
    NOT_FOUND = "not_found"
    """The reference points at nothing, or at something that may not be read."""
    FETCH_FAILED = "fetch_failed"
    """The image could not be fetched, after all attempts; it may be there later."""
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_SCANS = "too_many_scans"
    """A JPEG that draws its picture over and over."""
    TOO_MANY_CHUNKS = "too_many_chunks"
    """A file cut into so many pieces that to walk over them is the attack."""
    UNSUPPORTED_FORMAT = "unsupported_format"
    """The content is no image format that is read here, whatever its name says."""
    DECODE_FAILED = "decode_failed"
    """The content claims to be a known format and is damaged."""
    DECODE_TIMEOUT = "decode_timeout"
    """The decoder was stopped, because this image took it too long."""
    TOO_MUCH_MEMORY = "too_much_memory"
    """The decoder asked for more memory than one image is given."""
    DECODER_CRASHED = "decoder_crashed"
    """The decoder died of this image."""
    ENCODE_FAILED = "encode_failed"
    """The encoder gave no finite vector for this image."""
    SCHEME_MISMATCH = "scheme_mismatch"
    """The code was made under another scheme than the index holds: all extractors of a topic must agree."""


class PoisonInput(Exception):
    """This input can never succeed as it is: reject it with its reason, then go on."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class TransientFault(Exception):
    """The same input may succeed later: try again, and do not commit before."""
