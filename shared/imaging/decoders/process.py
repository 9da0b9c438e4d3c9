"""The worker's side of a decoder in a process of its own."""

import os
import pickle
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

import numpy as np

from shared.events.faults import PoisonInput, RejectReason, TransientFault
from shared.events.region import Region
from shared.imaging.decoders.assignment import Assignment
from shared.imaging.decoders.link import Kind, Link
from shared.imaging.decoders.policy import Pixels

_COMMAND = (sys.executable, "-P", "-m", "shared.imaging.decoders.child")
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    # glibc gives memory back to the system after every large image and fetches it again, page by page, for the next:
    # a third of the time of a progressive JPEG. So a decoder may keep this much for the next image.
    "MALLOC_TRIM_THRESHOLD_": str(64 * 1024 * 1024),
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),
}
_HEADER_BYTES = 1024


class DecoderProcess:
    """A child that decodes one image at a time. It ends with its worker, whichever way that ends.

    Every method blocks, and must be called by one thread at a time.
    """

    def __init__(self, child: subprocess.Popen[bytes], link: Link, assignment: Assignment) -> None:
        self._child = child
        self._link = link
        self._deadline_s = assignment.policy.deadline_s
        self._max_reply_bytes = 3 * assignment.policy.limits.max_pixels + _HEADER_BYTES
        self.decoded = 0
        """How many images this child has decoded or refused."""

    @classmethod
    def start(cls, assignment: Assignment, command: Sequence[str] = _COMMAND) -> Self:
        """Start a child and wait until it is ready. Raises TransientFault when it does not become so."""
        pickled = pickle.dumps(assignment)
        ours, theirs = socket.socketpair()
        with theirs:
            child = subprocess.Popen(  # noqa: S603 -- this interpreter, a module of ours, and a number
                [*command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=os.environ | _ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(sys.path)},
            )
        process = cls(child, Link(ours), assignment)
        try:
            process._link.send(Kind.ASSIGNMENT, pickled, assignment.policy.start_s)
            process._link.receive(_HEADER_BYTES, assignment.policy.start_s)
        except (EOFError, TimeoutError, ValueError) as error:
            raise TransientFault(f"a decoder did not start; it ended with status {process.end()}") from error
        return process

    @property
    def pid(self) -> int:
        return self._child.pid

    def decode(self, data: bytes, region: Region | None = None) -> Pixels:
        """Return the pixels, of a part of the picture where one is given.

        Raises what the child found: PoisonInput. Raises TimeoutError, EOFError or ValueError when it went
        past its deadline, died, or talked nonsense: then `end` it.
        """
        if region is not None:
            self._link.send(Kind.REGION, pickle.dumps(region), self._deadline_s)
        self._link.send(Kind.IMAGE, data, self._deadline_s)
        kind, body = self._link.receive(self._max_reply_bytes, self._deadline_s)
        self.decoded += 1
        if kind is Kind.REJECTED:
            reason, _, detail = body.decode().partition("\n")
            raise PoisonInput(RejectReason(reason), detail)
        return _unpacked(body)

    def end(self, grace_s: float = 0.0) -> int:
        """Return how the child ended: its exit status, or the signal that it died of, negative.

        One that has not ended by itself within the grace is killed.
        """
        self._link.close()
        with suppress(subprocess.TimeoutExpired):
            return self._child.wait(grace_s)
        self._child.kill()
        return self._child.wait()


def _unpacked(body: bytearray) -> Pixels:
    try:
        dimensions = body[0]
        shape = struct.unpack_from(f">{dimensions}I", body, 1)
    except (IndexError, struct.error) as error:
        raise ValueError("the pixels have no shape") from error
    return np.frombuffer(body, dtype=np.uint8, offset=1 + 4 * dimensions).reshape(shape)
