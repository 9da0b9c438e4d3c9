"""JPEGs decoded on the encoder's device, in batches; what is not plain, or what it refuses, by another decoder."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import torch
from torch import Tensor

from shared.encoders.engine.batching import MicroBatcher
from shared.encoders.pixels.preprocessing import Preprocessing
from shared.encoders.pixels.resampling import to_square
from shared.events.region import Region
from shared.imaging.decoders.decoder import Decoder, Observe, unobserved
from shared.imaging.decoders.policy import Pixels
from shared.imaging.guard import ImageLimits
from shared.imaging.plain_jpeg import PlainJpeg, plain_jpeg
from shared.runtime.logging import get_logger

log = get_logger(__name__)

DEVICE_LIMITS = ImageLimits(max_pixels=16_000_000)
"""Larger ones are decoded elsewhere, at a fraction of their size. A batch of these takes at most 770 MB decoded."""
_MAX_BATCH = 16

DecodeJpegs = Callable[[Sequence[bytes], torch.device], list[Tensor]]
"""From files to RGB on the device, uint8, (3, height, width) each. Raises RuntimeError if it refuses any of them."""


def decode_jpegs(files: Sequence[bytes], device: torch.device) -> list[Tensor]:
    """Decode with nvJPEG on CUDA, with libjpeg-turbo on a CPU. See `DecodeJpegs`."""
    from torchvision.io import ImageReadMode, decode_jpeg  # noqa: PLC0415 - takes seconds, and most workers need it not

    encoded = [torch.frombuffer(bytearray(file), dtype=torch.uint8) for file in files]
    return list(decode_jpeg(encoded, ImageReadMode.RGB, device=device))


class JpegDecoder:
    """A `Decoder` whose pixels stay on the device if they were decoded there.

    It starts and stops the other decoder with itself. When it stops, images that wait for the device fail with
    TransientFault.
    """

    def __init__(
        self,
        preprocessing: Preprocessing,
        device: torch.device,
        other: Decoder[Pixels],
        *,
        limits: ImageLimits = DEVICE_LIMITS,
        observe: Observe = unobserved,
        clock: Callable[[], float] = time.perf_counter,
        decode_jpegs: DecodeJpegs = decode_jpegs,
    ) -> None:
        self._preprocessing = preprocessing
        self._device = device
        self._other = other
        self._limits = limits
        self._observe = observe
        self._clock = clock
        self._decode_jpegs = decode_jpegs
        self._stream: torch.cuda.Stream | None = None
        self._headers = ThreadPoolExecutor(1, thread_name_prefix="jpeg-headers")
        self._batches = ThreadPoolExecutor(1, thread_name_prefix="jpeg-batches")
        self._batcher = MicroBatcher(
            self._decode_batch,
            self._batches,
            max_items=_MAX_BATCH,
            max_waiting=0,  # as many as come: the caller bounds that
        )

    async def decode(self, data: bytes, region: Region | None = None) -> Pixels | Tensor:
        """See `Decoder`. Parts of pictures are rare: the other decoder cuts them out."""
        if region is not None:
            return await self._other.decode(data, region)
        jpeg = await asyncio.get_running_loop().run_in_executor(self._headers, plain_jpeg, data, self._limits)
        square = None if jpeg is None else await self._batcher.submit(jpeg)
        return await self._other.decode(data) if square is None else square

    async def __aenter__(self) -> Self:
        if self._device.type == "cuda":
            self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        await self._other.__aenter__()
        self._batcher.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._batcher.stop()
        finally:
            await self._other.__aexit__(kind, error, trace)
            await asyncio.to_thread(self._headers.shutdown)
            await asyncio.to_thread(self._batches.shutdown)

    def _decode_batch(self, batch: Sequence[PlainJpeg]) -> list[Tensor | None]:
        """Return what the encoder takes of each image, or None for those that the device refuses."""
        started = self._clock()
        squares = self._squares(batch)
        seconds = self._clock() - started
        for _ in filter(lambda square: square is not None, squares):
            self._observe(seconds / len(batch))
        return squares

    def _squares(self, batch: Sequence[PlainJpeg]) -> list[Tensor | None]:
        try:
            return [*self._on_the_device(batch)]
        except RuntimeError as error:
            reason = str(error)
        # Outside of the clause, where the error would hold the batch's memory, for lack of which it may have failed.
        if len(batch) == 1:
            log.info("jpeg_refused_by_device", bytes=len(batch[0].data), reason=reason)
            return [None]
        return [square for jpeg in batch for square in self._squares([jpeg])]

    def _on_the_device(self, batch: Sequence[PlainJpeg]) -> list[Tensor]:
        """Work in a stream of its own, beside the encoder's, and leave it empty.

        torchvision writes into memory of the current stream without waiting for what that stream still has to do. And
        what is finished may be read from any other stream.
        """
        with torch.cuda.stream(self._stream):
            images = self._decode_jpegs([jpeg.data for jpeg in batch], self._device)
            squares = [
                to_square(image, self._preprocessing, jpeg.orientation)
                for image, jpeg in zip(images, batch, strict=True)
            ]
            if self._stream is not None:
                self._stream.synchronize()
        return squares
