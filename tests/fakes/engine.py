"""An extraction engine without pixels: the first four bytes of an image are its code."""

import asyncio
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.encoders.engine.engine import Extracted, NoTextSide
from shared.events.faults import PoisonInput, RejectReason
from shared.events.region import Region
from tests.fakes.operations import SCHEME, code

POISON = b"poison"
BOMB = b"bomb"
DEVICE_S = 0.25
WORDS = "a cat"
"""The only text that has a code."""


@dataclass(frozen=True)
class FakeScheme:
    fingerprint: str = SCHEME


class FakeEngine:
    """Takes the place of an ExtractionEngine. POISON is rejected, BOMB breaks the device; a closed gate holds up."""

    def __init__(self) -> None:
        self.scheme = FakeScheme()
        self.begun: list[bytes] = []
        """What `extract` was called with."""
        self.gate = asyncio.Event()
        self.gate.set()

    async def extract(self, data: bytes, region: Region | None = None) -> Extracted:
        """Of a region, the code has its last byte."""
        self.begun.append(data)
        await self.gate.wait()
        if data == POISON:
            raise PoisonInput(RejectReason.DECODE_FAILED, "it is poison")
        if data == BOMB:
            raise RuntimeError("the device is lost")
        if region is not None:
            data = data[-1:] * 4
        return Extracted(code=data[:4].ljust(4, b"\1"), decode_s=0.001, encode_s=0.002, device_s=DEVICE_S)

    async def quantize_vector(self, vector: npt.NDArray[np.float64]) -> bytes:
        if len(vector) != 4:
            raise ValueError(f"the vector has {len(vector)} numbers, and this index holds vectors of 4")
        return code(*(int(number) for number in vector))

    async def encode_text(self, text: str) -> bytes:
        if text != WORDS:
            raise NoTextSide("the encoder has no text side")
        return code(1, 2, 3, 4)
