"""The records that every index is folded from, and the batches in which they reach the replicas."""

import msgspec
import pytest

from shared.events import headers as hdr
from shared.events.features import UnreadableFeature, encode_feature, feature_of, read_operation
from shared.events.images import SourcePosition
from shared.events.operations import Operation, decode_batch, encode_batch, make_batch
from tests.unit.events import samples
from tests.unit.events.golden_files import golden

DEEP_MSGPACK = b"\x91" * 100_000 + b"\xc0"


def read(
    value: bytes | None, *, key: bytes | None = samples.FEATURE.id.encode(), headers: hdr.Headers = ()
) -> Operation:
    return read_operation(offset=77, timestamp=5, key=key, value=value, headers=headers)


def feature_with(**changes: object) -> bytes:
    return msgspec.msgpack.encode(msgspec.msgpack.decode(encode_feature(samples.FEATURE)) | changes)


def test_an_upsert_written_anew_says_the_same() -> None:
    assert feature_of(read(encode_feature(samples.FEATURE))) == samples.FEATURE


def test_unknown_fields_of_a_feature_change_nothing() -> None:
    assert read(feature_with(later={"a": [1]})) == read(encode_feature(samples.FEATURE)) == samples.UPSERT


def test_a_delete_takes_its_time_from_the_record_and_its_source_from_the_headers() -> None:
    source = SourcePosition(offset=9, partition=1)
    operation = read(None, key="猫".encode(), headers=source.headers())
    assert (operation.offset, operation.id, operation.source, operation.uploaded_at) == (77, "猫", source, 5)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"", "offset 77 cannot be read"),
        (b"{}", "cannot be read"),
        (feature_with(v=2), "has version 2; this release knows 1"),
        (feature_with(v=0), "has version 0"),
        (feature_with(id="dog"), "has the key b'shop/cat-1.jpg' and the id 'dog'"),
        (feature_with(source=[1]), r"at `\$.source`"),
        (feature_with(code="text"), r"at `\$.code`"),
        (feature_with(attributes={"a": {}}), r"at `\$.attributes"),
        (b"\x81\xa2id\xa1\xff", "not UTF-8"),
        (b"\x81\xa1x" + DEEP_MSGPACK, "nested too deeply"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_record_that_is_no_feature_is_unreadable(value: bytes, says: str) -> None:
    with pytest.raises(UnreadableFeature, match=says):
        read(value)


@pytest.mark.parametrize("field", ["v", "id", "code", "scheme", "source", "uploaded_at"])
def test_what_a_feature_requires_is_required(field: str) -> None:
    fields = msgspec.msgpack.decode(encode_feature(samples.FEATURE))
    del fields[field]
    with pytest.raises(UnreadableFeature, match=f"missing required field `{field}`"):
        read(msgspec.msgpack.encode(fields))


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        (None, samples.DELETE.source.headers()),
        (b"", samples.DELETE.source.headers()),
        (b"\xff", samples.DELETE.source.headers()),
        (b"dog", []),
        (b"dog", hdr.encode([(hdr.SOURCE_OFFSET, 1)])),
        (b"dog", hdr.encode([(hdr.SOURCE_OFFSET, -1), (hdr.SOURCE_PARTITION, 0)])),
        (b"dog", hdr.encode([(hdr.SOURCE_OFFSET, 2**63), (hdr.SOURCE_PARTITION, 0)])),
    ],
)
def test_a_delete_without_its_key_or_its_source_is_unreadable(key: bytes | None, headers: hdr.Headers) -> None:
    with pytest.raises(UnreadableFeature, match="at offset 77"):
        read(None, key=key, headers=headers)


def test_the_highest_offset_wins_whatever_the_partition() -> None:
    assert SourcePosition(offset=2, partition=0) > SourcePosition(offset=1, partition=9)


def test_what_a_later_release_adds_to_a_batch_changes_nothing() -> None:
    fields = msgspec.msgpack.decode(encode_batch(samples.TRACED_BATCH))
    fields[4] = [[*operation, "later"] for operation in fields[4]]
    assert decode_batch(msgspec.msgpack.encode([*fields, "later"])) == samples.TRACED_BATCH


def test_traces_cost_a_batch_less_than_32_bytes_each_and_nothing_where_there_are_none() -> None:
    plain, traced = encode_batch(samples.BATCH), encode_batch(samples.TRACED_BATCH)
    assert len(msgspec.msgpack.decode(plain)) == 5
    assert len(traced) - len(plain) - 1 < 32 * len(samples.TRACED_BATCH.traces)
    assert decode_batch(traced) == samples.TRACED_BATCH
    assert decode_batch(plain).traces == {}


def test_a_batch_has_traces_of_its_own_operations_alone() -> None:
    batch = make_batch(
        incarnation="01JPA0",
        previous=76,
        position=80,
        operations=[samples.UPSERT],
        traces={77: b"a" * 24, 78: b"b" * 24},
    )
    assert batch.traces == {77: b"a" * 24}


def test_a_batch_of_another_version_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError, match="batch of version 2; this release knows 1"):
        decode_batch(encode_batch(msgspec.structs.replace(samples.BATCH, v=2)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x90",
        golden("operation_batch.bin")[:-1],
        golden("operation_batch.bin") + b"\x00",
        golden("feature.bin"),
        b"\x95\x01\xa1\xff\x00\x00\x90",
        b"\x95\x01\xa1i\x00\x00\x91\x91\xa1x",
        b"\x96\x01\xa1i\x00\x00\x90" + DEEP_MSGPACK,
    ],
    ids=["empty", "no-fields", "truncated", "trailing", "feature", "not-utf-8", "unknown-operation", "bomb"],
)
def test_bytes_that_are_no_batch_are_a_decode_error(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_batch(data)
