"""The process that decodes images, and that may die of one. Started as ``python -m``, with a socket to its worker."""

import ctypes
import errno
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import AvifImagePlugin, Image

from shared.events.faults import PoisonInput, RejectReason
from shared.events.region import Region
from shared.imaging.decode import decode_rgb
from shared.imaging.decoders.assignment import Assignment
from shared.imaging.decoders.link import Kind, Link
from shared.imaging.decoders.policy import DecodePolicy, Pixels
from shared.imaging.heif import register_heif

_ASSIGNMENT_BYTES = 1024 * 1024


def main() -> None:
    """Decode images until the worker closes the socket or dies."""
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # they reach a whole group; the worker decides when the work is over
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # there is a process for every core, and stacks count as memory
    Image.init()
    register_heif()
    link = Link(socket.socket(fileno=int(sys.argv[1])))
    try:
        _, pickled = link.receive(_ASSIGNMENT_BYTES)
        assignment: Assignment = pickle.loads(pickled)  # noqa: S301 -- the worker's, and never the other way round
        _quieten()
        _limit_memory(assignment.policy.max_memory_bytes)
        link.send(Kind.READY, b"")
        while True:
            kind, data = link.receive(assignment.policy.limits.max_bytes)
            region: Region | None = None
            if kind is Kind.REGION:
                region = pickle.loads(data)  # noqa: S301 -- as above
                _, data = link.receive(assignment.policy.limits.max_bytes)
            link.send(*_reply(assignment, data, region))
            del data  # before the next one comes
    except EOFError:
        return


def _quieten() -> None:
    """Keep out of the log what libraries say about images, which can be pages; a traceback still goes there."""
    warnings.simplefilter("ignore")
    sys.stderr = os.fdopen(os.dup(2), "w")
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)


def _reply(assignment: Assignment, data: bytearray, region: Region | None) -> tuple[Kind, bytes]:
    try:
        with _limited_time(assignment.policy), _refused_memory():
            image = decode_rgb(bytes(data), assignment.policy.limits, assignment.size_hint, region)
            return Kind.PIXELS, _packed(assignment.finish(image))
    except PoisonInput as fault:
        return Kind.REJECTED, f"{fault.reason}\n{fault.detail}".encode(errors="replace")


def _packed(pixels: Pixels) -> bytes:
    return struct.pack(f">B{pixels.ndim}I", pixels.ndim, *pixels.shape) + pixels.tobytes()


@contextmanager
def _limited_time(policy: DecodePolicy) -> Iterator[None]:
    """Have the kernel end this process, in the middle of whatever it does, when an image takes too long.

    The worker keeps the deadline as well; the alarm is for when the worker has been killed.
    """
    signal.setitimer(signal.ITIMER_PROF, policy.max_cpu_s)
    signal.setitimer(signal.ITIMER_REAL, policy.deadline_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)


def _limit_memory(headroom: int) -> None:
    """Cap what this process may allocate, beyond what it holds now. Libraries as such and sockets do not count."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    statm = Path("/proc/self/statm")
    if statm.exists():  # elsewhere than on Linux the limit has no effect
        held = int(statm.read_text().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (held + headroom, held + headroom))


@contextmanager
def _refused_memory() -> Iterator[None]:
    """Tell a file that is damaged from one that is too large to decode.

    The libraries behind Pillow report both alike, but what they asked the C library for leaves its trace there.
    """
    last_error = _last_error()
    last_error.value = 0
    try:
        yield
    except MemoryError as error:
        raise _too_much(error) from error
    except PoisonInput as fault:
        if fault.reason is RejectReason.DECODE_FAILED and last_error.value == errno.ENOMEM:
            raise _too_much(fault) from fault
        raise


def _last_error() -> ctypes.c_int:
    """Return the C library's errno of this thread; ctypes' own get_errno() is a copy that only ctypes writes to."""
    location = getattr(ctypes.CDLL(None), "__errno_location" if sys.platform == "linux" else "__error")
    location.restype = ctypes.POINTER(ctypes.c_int)
    errno_of_thread: ctypes.c_int = location().contents
    return errno_of_thread


def _too_much(cause: Exception) -> PoisonInput:
    return PoisonInput(
        RejectReason.TOO_MUCH_MEMORY,
        f"decoding needs more memory than one image is given ({cause}); scale the image down",
    )


if __name__ == "__main__":
    main()
