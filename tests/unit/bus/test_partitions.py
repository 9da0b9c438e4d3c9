"""Murmur2, with the values of the tests of Apache Kafka's own Java client."""

import pytest
from aiokafka.partitioner import murmur2

from shared.bus.partitions import partition_of

GOLDEN = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


@pytest.mark.parametrize(("key", "expected"), GOLDEN.items())
def test_the_hash_is_javas(key: str, expected: int) -> None:
    assert murmur2(key.encode()) & 0xFFFFFFFF == expected & 0xFFFFFFFF


@pytest.mark.parametrize(("key", "expected"), GOLDEN.items())
@pytest.mark.parametrize("partitions", [1, 2, 3, 12, 128])
def test_the_partition_is_the_hash_without_its_sign_modulo_their_number(
    key: str, expected: int, partitions: int
) -> None:
    assert partition_of(key, partitions) == (expected & 0x7FFFFFFF) % partitions


def test_an_id_is_hashed_as_utf_8() -> None:
    assert partition_of("東京/猫", 12) == (murmur2("東京/猫".encode()) & 0x7FFFFFFF) % 12
