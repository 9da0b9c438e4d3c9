"""Headers are read without trusting them; topics have one name and one setting each."""

import pytest

from shared.events import headers as hdr
from shared.events.faults import PoisonInput
from shared.events.images import SourcePosition, check_attributes, epoch_ms, source_from_headers
from shared.events.topics import Topics
from tests.unit.events.samples import TAKEN, TAKEN_MS

NAMES = {"images.uploaded", "images.features", "images.rejected", "images.indexed", "search.requests", "search.replies"}


def test_the_last_header_of_a_name_counts() -> None:
    assert hdr.text([("a", b"1"), ("b", b"2"), ("a", b"3")], "a") == "3"
    assert hdr.last([("a", b"1")], "A") is None


def test_a_header_that_is_not_utf_8_is_no_text() -> None:
    assert hdr.text([("a", b"\xff")], "a") is None


@pytest.mark.parametrize(
    ("value", "number"),
    [(b"0", 0), (b"-7", -7), (b"007", 7), (b"9223372036854775807", 2**63 - 1), (b"-9223372036854775808", -(2**63))],
)
def test_a_whole_number_is_decimal(value: bytes, number: int) -> None:
    assert hdr.integer([("a", value)], "a") == number


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"-",
        b" 1",
        b"1\n",
        b"+1",
        b"1_0",
        b"1.0",
        b"0x1",
        b"\xef\xbc\x91",
        b"\xff",
        b"9" * 5000,
        b"9223372036854775808",
    ],
)
def test_what_is_no_whole_number_of_64_bits_is_none(value: bytes) -> None:
    assert hdr.integer([("a", value)], "a") is None


@pytest.mark.parametrize(
    ("value", "media_type"),
    [
        (b"application/json", "application/json"),
        (b" Application/JSON ; charset=UTF-8; q=1", "application/json"),
        (b"", ""),
        (b"\xff", ""),
        (b";", ""),
    ],
)
def test_a_media_type_is_lower_case_and_without_parameters(value: bytes, media_type: str) -> None:
    assert hdr.media_type([("content-type", value)]) == media_type


def test_only_the_trace_is_handed_on() -> None:
    trace = [("traceparent", b"p"), ("tracestate", b"s")]
    assert hdr.traces([("reply_to", b"x"), *trace, ("b3", b"x")]) == trace


def test_a_source_position_survives_its_headers() -> None:
    position = SourcePosition(offset=2**62, partition=3)
    assert source_from_headers([("x", b"y"), *position.headers()]) == position


@pytest.mark.parametrize(("partition", "offset"), [("-1", "0"), ("0", "-1"), ("", "0"), ("0", "x"), ("0", "9" * 20)])
def test_a_source_position_that_cannot_be_is_none(partition: str, offset: str) -> None:
    headers = hdr.encode([(hdr.SOURCE_PARTITION, partition), (hdr.SOURCE_OFFSET, offset)])
    assert source_from_headers(headers) is None


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 2**63])
def test_attributes_from_any_origin_are_numbers_that_can_be_stored(number: float) -> None:
    with pytest.raises(PoisonInput, match="'a'"):
        check_attributes({"a": ["x", number]})


def test_times_are_unix_milliseconds() -> None:
    assert epoch_ms(TAKEN) == TAKEN_MS
    assert epoch_ms(None) is None


def test_a_deployment_without_a_namespace_has_the_plain_names() -> None:
    assert {spec.name for spec in Topics().specs(4)} == NAMES
    assert Topics().group("extractor") == "afterimage.extractor"


def test_a_namespace_stands_before_every_name() -> None:
    topics = Topics("eu.shop")
    assert {spec.name for spec in topics.specs(4)} == {f"eu.shop.{name}" for name in NAMES}
    assert topics.group("extractor") == "eu.shop.afterimage.extractor"


def test_only_replies_go_to_a_topic_outside_of_the_pipeline() -> None:
    topics = Topics("a")
    assert {spec.name for spec in topics.specs(1)} - topics.pipeline() == {topics.replies}


def test_only_the_features_are_compacted() -> None:
    specs = Topics().specs(7)
    assert {spec.partitions for spec in specs} == {7}
    assert [spec.name for spec in specs if spec.config["cleanup.policy"] == "compact"] == ["images.features"]


def test_a_stale_record_can_be_overruled_before_it_is_compacted_away() -> None:
    (features,) = [spec for spec in Topics().specs(1) if spec.name == "images.features"]
    assert features.config["min.compaction.lag.ms"] == "86400000"
    assert features.config["delete.retention.ms"] == "604800000"
