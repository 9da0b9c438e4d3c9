import socket
import struct
from collections.abc import Iterator

import pytest

from shared.imaging.decoders.link import Kind, Link


@pytest.fixture
def ends() -> Iterator[tuple[Link, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Link(ours), theirs


def test_a_message_arrives_as_it_was_sent(ends: tuple[Link, socket.socket]) -> None:
    link, other = ends
    link.send(Kind.IMAGE, b"pixels", timeout_s=1)
    link.send(Kind.READY, b"", timeout_s=1)
    receiver = Link(other)
    assert receiver.receive(6, timeout_s=1) == (Kind.IMAGE, b"pixels")
    assert receiver.receive(6, timeout_s=1) == (Kind.READY, b"")


def test_a_message_above_the_limit_is_not_waited_for(ends: tuple[Link, socket.socket]) -> None:
    link, other = ends
    other.sendall(struct.pack(">BQ", Kind.PIXELS, 2**62))
    with pytest.raises(ValueError, match="none of ours"):
        link.receive(1000, timeout_s=1)


def test_a_message_of_no_known_kind_is_nonsense(ends: tuple[Link, socket.socket]) -> None:
    link, other = ends
    other.sendall(struct.pack(">BQ", 77, 0))
    with pytest.raises(ValueError, match="77"):
        link.receive(1000, timeout_s=1)


HALVES = [b"", b"\4", struct.pack(">BQ", Kind.PIXELS, 10) + b"12345"]


@pytest.mark.parametrize("said", HALVES)
def test_half_a_message_ends_with_the_deadline(ends: tuple[Link, socket.socket], said: bytes) -> None:
    link, other = ends
    other.sendall(said)
    with pytest.raises(TimeoutError):
        link.receive(1000, timeout_s=0.05)


@pytest.mark.parametrize("said", HALVES)
def test_half_a_message_ends_with_the_other_end(ends: tuple[Link, socket.socket], said: bytes) -> None:
    link, other = ends
    other.sendall(said)
    other.close()
    with pytest.raises(EOFError):
        link.receive(1000, timeout_s=1)


def test_an_end_that_does_not_read_does_not_hold_the_sender(ends: tuple[Link, socket.socket]) -> None:
    link, _ = ends
    with pytest.raises(TimeoutError):
        link.send(Kind.IMAGE, bytes(10_000_000), timeout_s=0.05)


def test_an_end_that_has_gone_is_told_from_one_that_is_slow(ends: tuple[Link, socket.socket]) -> None:
    link, other = ends
    other.close()
    with pytest.raises(EOFError):
        link.send(Kind.IMAGE, bytes(10_000_000), timeout_s=1)
