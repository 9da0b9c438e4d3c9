"""From the bytes of an image to its code: what the extractor and the searcher have in common."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shared.codes.code import Code
from shared.codes.fitted import FittedVectors
from shared.encoders.encoder import Encoder, texts_of
from shared.encoders.engine.batching import MicroBatcher
from shared.encoders.engine.observer import ExtractionObserver, Unobserved
from shared.encoders.engine.staging import BatchStage, fetch_rows
from shared.encoders.pixels.preprocessing import Pixels
from shared.encoders.scheme import Scheme, identity_of
from shared.events.faults import PoisonInput, RejectReason, TransientFault
from shared.events.region import Region
from shared.imaging.decoders.decoder import Decoder
from shared.runtime import tracing

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_Waiting: TypeAlias = tuple[Pixels | Tensor, "Span | None"]
"""An image, and the span in which it waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionPolicy:
    """How much is extracted at once."""

    max_batch: int = 32
    max_in_flight: int = 96
    """Images between the start of their decoding and their code; beyond that, `extract` waits."""
    max_wait_s: float = 0.0
    """How long an idle device waits for images that are being decoded, before it starts on fewer than `max_batch`."""

    def __post_init__(self) -> None:
        if not 1 <= self.max_batch <= self.max_in_flight:
            raise ValueError(f"max_batch is {self.max_batch}; it must lie between 1 and max_in_flight")
        if self.max_wait_s < 0:
            raise ValueError(f"max_wait_s is {self.max_wait_s}; it must not be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """The code of an image, and what it took."""

    code: bytes
    decode_s: float
    """Decoding and scaling, with the wait for a free decoder."""
    encode_s: float
    """Encoding and quantizing the batch that the image was in, with the wait for the device."""
    device_s: float
    """The image's share of the time that the device took for its batch."""


class NoTextSide(Exception):
    """The encoder knows no texts, and so does every worker of its scheme; the text says which encoder would."""


Extract = Callable[[bytes], Awaitable[Extracted]]
"""From the bytes of an image to its code, as `ExtractionEngine.extract` goes."""


class ExtractionEngine:
    """Has images decoded, then encodes and quantizes them in batches in one thread of the device.

    The event loop itself only waits. An engine is used as an async context manager, once;
    within it, any number of tasks of that event loop may call it. The decoder is the engine's:
    it is started and stopped with it.
    """

    def __init__(
        self,
        encoder: Encoder,
        code: Code,
        decoder: Decoder[Pixels | Tensor],
        policy: ExtractionPolicy,
        *,
        for_queries: bool = False,
        observer: ExtractionObserver | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """for_queries: codes are what queries bring, which is not always what is stored."""
        self.scheme = Scheme(
            encoder=encoder.name,
            weights_sha256=encoder.weights_sha256,
            preprocessing=encoder.preprocessing,
            precision=encoder.precision,
            code=code.name,
            dim=encoder.dim,
        )
        self.encoder = identity_of(encoder)
        """Whose vectors these are."""
        self.device = str(encoder.device)
        self.backend = encoder.backend
        self.code = code
        self.policy = policy
        self.decoding = 0
        """Images that are being decoded, or wait for a decoder."""
        self.encoding = 0
        """Images that are being encoded, or wait for the device."""
        self._encoder = encoder
        self._texts = texts_of(encoder)
        self._quantize = code.encode_queries if for_queries else code.encode
        self._quantizes_at_once = encoder.device.type == "cpu" and not isinstance(code, FittedVectors)
        self._observer = observer or Unobserved()
        self._clock = clock
        self._slots = asyncio.Semaphore(policy.max_in_flight)
        self._decoder = decoder
        self._stage = BatchStage(policy.max_batch, encoder.input_size, encoder.device)
        self._device = ThreadPoolExecutor(1, thread_name_prefix="device")
        self._batcher = MicroBatcher(
            self._encode_batch,
            self._device,
            max_items=policy.max_batch,
            max_waiting=policy.max_in_flight,
            max_wait_s=policy.max_wait_s,
            coming=lambda: self.decoding,
        )

    async def extract(self, data: bytes, region: Region | None = None) -> Extracted:
        """Return the code of an image, or of a part of it.

        Raises PoisonInput when this image has no code, TransientFault when the engine is
        stopped, and what the device raised for the batch, as it is.
        """
        started = self._clock()
        async with self._slots:
            self._check_running()
            self.decoding += 1
            try:
                with tracing.stage("decode"):
                    pixels = await self._decoder.decode(data, region)
            finally:
                self.decoding -= 1
            decoded = self._clock()
            self.encoding += 1
            try:
                with tracing.stage("encode"):
                    code, device_s = await self._batcher.submit((pixels, tracing.current()))
            finally:
                self.encoding -= 1
        if code is None:
            raise PoisonInput(
                RejectReason.ENCODE_FAILED,
                f"{self._encoder.name} gives no finite, non-zero vector for this image; try a more recent model",
            )
        return Extracted(code=code, decode_s=decoded - started, encode_s=self._clock() - decoded, device_s=device_s)

    async def quantize_vector(self, vector: npt.ArrayLike) -> bytes:
        """Return what a query by a feature vector of any length but zero brings.

        Raises ValueError when it is none of this scheme, TransientFault when the engine is stopped.
        """
        unit = torch.from_numpy(_unit_vector(vector, self.scheme.dim))
        self._check_running()
        if self._quantizes_at_once:  # in less time than a thread is asked in, and without waiting for its images
            [code] = self._queries(unit[None])
        else:
            [code] = await asyncio.get_running_loop().run_in_executor(self._device, self._queries, unit[None])
        return code

    async def encode_text(self, text: str) -> bytes:
        """Return what a query by a text brings. Its encoder computes one at a time.

        Raises NoTextSide, and TransientFault when the engine is stopped.
        """
        if self._texts is None:
            raise NoTextSide(
                f"the encoder {self._encoder.name} has no text side; search by an image, or have all workers use "
                "a CLIP model: AFTERIMAGE_ENCODER=clip:ViT-B-32"
            )
        self._check_running()
        [code] = await asyncio.get_running_loop().run_in_executor(
            self._device, lambda side: self._queries(side.encode_text([text])), self._texts
        )
        return code

    async def warm_up(self) -> None:
        """Run one image and a full batch through the device, so that no real ones pay for its preparation."""
        self._check_running()
        side = self._encoder.input_size
        black = np.zeros((3, side, side), dtype=np.uint8)
        for count in sorted({1, self.policy.max_batch}):
            await asyncio.get_running_loop().run_in_executor(self._device, self._codes, [black] * count)

    async def __aenter__(self) -> Self:
        await self._decoder.__aenter__()
        self._batcher.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Fail whoever waits for the device, and let the threads finish what they are doing."""
        try:
            await self._batcher.stop()
        finally:
            await self._decoder.__aexit__(kind, error, trace)
            await asyncio.to_thread(self._device.shutdown)

    def _check_running(self) -> None:
        if not self._batcher.running:
            raise TransientFault("the extraction engine is not running")

    def _encode_batch(self, batch: Sequence[_Waiting]) -> list[tuple[bytes | None, float]]:
        """Return the code of each image, if it has one, and its share of the time that they took together."""
        started = self._clock()
        with tracing.batch("encode batch", [span for _, span in batch]):
            codes = self._codes([pixels for pixels, _ in batch])
        seconds = self._clock() - started
        self._observer.encoded(len(batch), seconds)
        return [(code, seconds / len(batch)) for code in codes]

    def _codes(self, batch: Sequence[Pixels | Tensor]) -> list[bytes | None]:
        vectors = self._encoder.encode(self._stage.load(batch))
        usable = vectors.isfinite().all(dim=1) & vectors.any(dim=1)
        return fetch_rows(self._quantize(vectors.masked_fill(~usable[:, None], 0.0)), usable)

    def _queries(self, vectors: Tensor) -> list[bytes]:
        rows = self.code.encode_queries(vectors.to(self._encoder.device)).cpu().numpy()
        return [row.tobytes() for row in rows]


def _unit_vector(vector: npt.ArrayLike, dim: int) -> npt.NDArray[np.float32]:
    """Scale to length 1 in double precision, where the peak first keeps the squares in range."""
    values = np.asarray(vector, dtype=np.float64)
    if values.shape != (dim,):
        raise ValueError(f"the vector has shape {values.shape}, and this index holds vectors of {dim} numbers")
    if not np.isfinite(values).all():
        raise ValueError("the vector holds a number that is not finite")
    peak = np.abs(values).max()
    if peak == 0:
        raise ValueError("the vector is all zeros, and so has no direction to search in")
    scaled = values / peak
    return np.asarray(scaled / np.linalg.norm(scaled), dtype=np.float32)
