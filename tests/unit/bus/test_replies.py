"""Where an answer goes."""

import pytest

from shared.bus.replies import ReplyAddress, deadline_ms, reply_address
from shared.events import headers as hdr
from shared.events.topics import Topics

TOPICS = Topics("shop")
TRACE = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


def test_our_headers_name_topic_partition_and_correlation() -> None:
    headers = [(hdr.REPLY_TO, b"mine"), (hdr.REPLY_PARTITION, b"7"), (hdr.CORRELATION_ID, b"c-1"), TRACE]
    expected = ReplyAddress("mine", 7, ((hdr.CORRELATION_ID, b"c-1"),), (TRACE,))
    assert reply_address(headers, TOPICS) == expected


def test_springs_headers_are_as_good_and_its_binary_values_come_back_as_they_were() -> None:
    correlation = (hdr.SPRING_CORRELATION_ID, bytes(range(240, 256)))
    headers = [(hdr.SPRING_REPLY_TOPIC, b"mine"), (hdr.SPRING_REPLY_PARTITION, b"\x00\x00\x01\x02"), correlation]
    assert reply_address(headers, TOPICS) == ReplyAddress("mine", 0x102, (correlation,))


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ([(hdr.CORRELATION_ID, b"c-1")], b"c-1"),
        ([(hdr.SPRING_CORRELATION_ID, b"\xff\x00")], b"\xff\x00"),
        ([(hdr.SPRING_CORRELATION_ID, b"\xff\x00"), (hdr.CORRELATION_ID, b"c-1")], b"c-1"),
        ([TRACE], None),
    ],
)
def test_a_reply_has_its_correlation_id_for_a_key(headers: list[tuple[str, bytes]], key: bytes | None) -> None:
    address = reply_address([(hdr.REPLY_TO, b"mine"), *headers], TOPICS)
    assert address is not None
    assert address.key == key


def test_ours_come_before_springs() -> None:
    headers = [
        (hdr.SPRING_REPLY_TOPIC, b"springs"),
        (hdr.REPLY_TO, b"ours"),
        (hdr.SPRING_REPLY_PARTITION, b"\x00\x00\x00\x01"),
        (hdr.REPLY_PARTITION, b"2"),
    ]
    address = reply_address(headers, TOPICS)
    assert address is not None
    assert (address.topic, address.partition) == ("ours", 2)


@pytest.mark.parametrize(
    "topic",
    [
        b"",
        b"\xff\xfe",
        b"shop.images.uploaded",
        b"shop.images.features",
        b"shop.images.rejected",
        b"shop.images.indexed",
        b"shop.search.requests",
        b"__consumer_offsets",
        b"__transaction_state",
    ],
)
def test_a_caller_cannot_make_a_searcher_write_where_only_workers_do(topic: bytes) -> None:
    assert reply_address([(hdr.REPLY_TO, topic)], TOPICS) is None


def test_without_a_topic_there_is_no_address() -> None:
    assert reply_address([(hdr.CORRELATION_ID, b"c-1")], TOPICS) is None


@pytest.mark.parametrize(
    "header",
    [
        (hdr.REPLY_PARTITION, b"-1"),
        (hdr.REPLY_PARTITION, b"one"),
        (hdr.REPLY_PARTITION, b""),
        (hdr.SPRING_REPLY_PARTITION, b"\x01"),
        (hdr.SPRING_REPLY_PARTITION, b"\xff\xff\xff\xff"),
        (hdr.SPRING_REPLY_PARTITION, b""),
    ],
)
def test_a_partition_that_is_none_counts_as_not_named(header: tuple[str, bytes]) -> None:
    address = reply_address([(hdr.REPLY_TO, b"mine"), header], TOPICS)
    assert address is not None
    assert address.partition is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], 1_500),
        ([(hdr.DEADLINE, b"1200")], 1_200),
        ([(hdr.DEADLINE, b"0")], 0),
        ([(hdr.DEADLINE, b"soon")], 1_500),
    ],
)
def test_a_caller_waits_until_its_deadline_or_for_the_timeout(headers: hdr.Headers, expected: int) -> None:
    assert deadline_ms(headers, sent_ms=1_000, timeout_ms=500) == expected
