"""A decoder that whoever sent the last image has taken over: its worker believes nothing that it says."""

import sys

import numpy as np
import pytest

from shared.imaging.decoders.assignment import Assignment
from shared.imaging.decoders.policy import DecodePolicy
from shared.imaging.decoders.process import DecoderProcess

ASSIGNMENT = Assignment(finish=np.asarray, policy=DecodePolicy(max_cpu_s=0.5, deadline_s=0.5), size_hint=None)
IMPOSTOR = """
import socket, struct, sys, time
end = socket.socket(fileno=int(sys.argv[1]))
end.sendall(struct.pack(">BQ", 2, 0))
end.sendall(SAYS)
time.sleep(100)
"""


def impostor(says: bytes) -> DecoderProcess:
    return DecoderProcess.start(ASSIGNMENT, [sys.executable, "-c", IMPOSTOR.replace("SAYS", repr(says))])


def message(kind: int, body: bytes) -> bytes:
    return kind.to_bytes(1) + len(body).to_bytes(8) + body


@pytest.mark.parametrize(
    "says",
    [
        pytest.param(b"\xff" * 40, id="no message"),
        pytest.param(message(4, b""), id="no shape"),
        pytest.param(message(4, b"\x03\0\0\0\1"), id="half a shape"),
        pytest.param(message(4, b"\x02" + b"\xff" * 8 + b"pixels"), id="more pixels than there are"),
        pytest.param(message(5, b"no_such_reason\nnothing"), id="no known reason"),
        pytest.param(message(5, b"\xff\xfe"), id="no text"),
    ],
)
def test_nonsense_is_noticed(says: bytes) -> None:
    process = impostor(says)
    with pytest.raises(ValueError):  # noqa: PT011 -- any of them is treated alike
        process.decode(b"an image")
    assert process.end() < 0


def test_silence_ends_with_the_deadline() -> None:
    process = impostor(b"")
    with pytest.raises(TimeoutError):
        process.decode(b"an image")
    assert process.end() < 0
