"""What decoders do wrong, by order of the image: its width says what. Runs inside the decoder's process."""

import ctypes
import os
import signal
import sys
import time
from enum import IntEnum
from pathlib import Path

import numpy as np
from PIL import Image

from shared.imaging.decoders.policy import Pixels
from tests.unit.imaging.pictures import encoded

NOTE = "TEST_DECODER_NOTE"
"""The environment variable with the path at which BE_KILLED_ONCE notes that it was done."""


class Order(IntEnum):
    """The width of an image that makes its decoder do this."""

    SLEEP = 101
    SPIN = 102
    SEGFAULT = 103
    ABORT = 104
    EXIT = 105
    GROW = 106
    STOP = 107
    BE_KILLED = 108
    BE_KILLED_ONCE = 109
    LIST_MODULES = 110

    def file(self) -> bytes:
        return encoded(Image.new("RGB", (self, 8)), "PNG")


def obey(image: Image.Image) -> Pixels:
    if image.width == Order.LIST_MODULES:
        return np.frombuffer("\n".join(sys.modules).encode(), dtype=np.uint8)
    if image.width in _DEEDS:
        _DEEDS[Order(image.width)]()
    return np.asarray(image)


def _spin() -> None:
    while True:
        pass


def _be_killed_once() -> None:
    note = Path(os.environ[NOTE])
    if not note.exists():
        note.touch()
        os.kill(os.getpid(), signal.SIGKILL)


_DEEDS = {
    Order.SLEEP: lambda: time.sleep(1000),
    Order.SPIN: _spin,
    Order.SEGFAULT: lambda: ctypes.string_at(0),
    Order.ABORT: os.abort,
    Order.EXIT: lambda: os._exit(3),
    Order.GROW: lambda: bytearray(2**40),
    Order.STOP: lambda: os.kill(os.getpid(), signal.SIGSTOP),
    Order.BE_KILLED: lambda: os.kill(os.getpid(), signal.SIGKILL),
    Order.BE_KILLED_ONCE: _be_killed_once,
}
