"""The manifest of a shard: which segments it consisted of at one position, and which of their rows were current.

It is written when all of its files are in the store, under a name of its own, and never changed. JSON, with its own
SHA-256 in front, so that a damaged one is known before anything in it is believed.
"""

import hashlib
import zlib
from collections.abc import Mapping

import msgspec
import numpy as np

from shared.events.images import SourcePosition
from shared.index.contents import Deleted, SealedPart, ShardContents
from shared.index.filters.column import Mask
from shared.index.sealed.description import SegmentDescription, segment_name

VERSION = 1


class CorruptManifest(Exception):
    """This is not what was written, or of a release to come: the one before it holds."""


class ManifestSegment(msgspec.Struct, frozen=True, kw_only=True):
    """live: zlib over one bit a row, as numpy packs them; base64 in JSON."""

    description: SegmentDescription
    live: bytes


class ManifestDelete(msgspec.Struct, frozen=True, array_like=True):
    """A delete that is remembered. deleted_at: Unix milliseconds."""

    id: str
    source: SourcePosition
    deleted_at: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The whole fold of a shard at `position`.

    incarnation: the log that positions count in. checksum: of the live rows, as a shard tells it. written_at: the
    moment that it tells of, or before, in Unix milliseconds: of deletes that came since, Kafka tells for a week.
    """

    v: int
    incarnation: str
    shard: int
    position: int
    scheme: str | None
    code_bytes: int | None
    checksum: str
    written_at: int
    segments: list[ManifestSegment]
    deleted: list[ManifestDelete]

    def contents(self) -> ShardContents:
        """What it says, as the shard that it was written of told it."""
        return ShardContents(
            position=self.position,
            scheme=self.scheme,
            code_bytes=self.code_bytes,
            checksum=self.checksum,
            deleted=[Deleted(each.id, each.source, each.deleted_at) for each in self.deleted],
            sealed={
                segment.description.name: SealedPart(
                    description=segment.description, live=_unpacked(segment.live, segment.description.rows)
                )
                for segment in self.segments
            },
            rows=[],
            codes=np.empty((0, 0), np.uint8),
        )


class _Envelope(msgspec.Struct):
    sha256: str
    manifest: msgspec.Raw


def make_manifest(
    contents: ShardContents,
    sealed: Mapping[str, SealedPart],
    *,
    incarnation: str,
    shard: int,
    now_ms: int,
) -> Manifest:
    """Describe what a shard held. sealed: the segments that all of it is in, the rows of `contents` included."""
    return Manifest(
        v=VERSION,
        incarnation=incarnation,
        shard=shard,
        position=contents.position,
        scheme=contents.scheme,
        code_bytes=contents.code_bytes,
        checksum=contents.checksum,
        written_at=now_ms,
        segments=[
            ManifestSegment(description=part.description, live=zlib.compress(np.packbits(part.live).tobytes()))
            for part in sealed.values()
        ],
        deleted=[ManifestDelete(each.id, each.source, each.deleted_at) for each in contents.deleted],
    )


def encode_manifest(manifest: Manifest) -> bytes:
    body = msgspec.json.encode(manifest)
    return msgspec.json.encode(_Envelope(sha256=hashlib.sha256(body).hexdigest(), manifest=msgspec.Raw(body)))


def decode_manifest(data: bytes) -> Manifest:
    """Raises CorruptManifest."""
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
        if hashlib.sha256(envelope.manifest).hexdigest() != envelope.sha256:
            raise CorruptManifest("its SHA-256 is not the one that it names")
        manifest = msgspec.json.decode(envelope.manifest, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptManifest(f"it cannot be read: {error}") from error
    if manifest.v != VERSION:
        raise CorruptManifest(f"it has version {manifest.v}; this release knows {VERSION}")
    for segment in manifest.segments:
        if segment.description.name != segment_name(segment.description.files):
            raise CorruptManifest(f"the segment {segment.description.name!r} does not have the name of its files")
    return manifest


def _unpacked(live: bytes, rows: int) -> Mask:
    return np.unpackbits(np.frombuffer(zlib.decompress(live), np.uint8), count=rows).astype(np.bool_)
