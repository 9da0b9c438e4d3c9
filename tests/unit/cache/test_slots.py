"""What a slot holds is believed only if all of it is right."""

import math
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cache.code_cache import CachedCode
from shared.cache.slots import Slots

SLOTS = Slots(namespace="shop", images=100, code_bytes=8)
KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
CODE = CachedCode(code=b"8 bytes.", device_s=0.0125)
WRITTEN = SLOTS.write(KEY, CODE)


def test_what_is_written_for_a_key_is_read_for_it() -> None:
    assert SLOTS.read(KEY, WRITTEN) == CODE


def test_the_same_slot_says_nothing_of_another_image() -> None:
    assert SLOTS.read(OTHER_KEY, WRITTEN) is None


def test_an_empty_slot_says_nothing() -> None:
    assert SLOTS.read(KEY, None) is None


@pytest.mark.parametrize("length", [7, 9, 0])
def test_a_code_of_another_length_is_none_of_this_scheme(length: int) -> None:
    written = SLOTS.write(KEY, CachedCode(code=bytes(length), device_s=0.0))
    assert SLOTS.read(KEY, written) is None


@pytest.mark.parametrize("at", range(len(WRITTEN)))
def test_a_flipped_bit_anywhere_is_noticed(at: int) -> None:
    assert SLOTS.read(KEY, WRITTEN[:at] + bytes([WRITTEN[at] ^ 0x10]) + WRITTEN[at + 1 :]) is None


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf])
def test_seconds_that_cannot_be_added_up_are_not_believed(seconds: float) -> None:
    content = struct.pack(">32sd", KEY, seconds) + CODE.code
    assert SLOTS.read(KEY, content + struct.pack(">I", zlib.crc32(content))) is None


@given(st.binary(max_size=80))
def test_any_bytes_are_no_code(value: bytes) -> None:
    assert SLOTS.read(KEY, value) is None


@given(st.binary(min_size=32, max_size=32))
def test_there_are_no_more_slots_than_images(key: bytes) -> None:
    tag, _, number = SLOTS.name(key).partition(":")
    assert tag == "{shop.codes}"
    assert 0 <= int(number) < SLOTS.images


def test_without_a_namespace_the_tag_stands_alone() -> None:
    assert Slots(namespace="", images=1, code_bytes=8).name(KEY) == "{codes}:0"
