"""The extractor's parts with nothing around them: the model on tensors in memory, and decoding."""

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from benchmarks.bare import BareExtraction, load_encoder_and_code
from benchmarks.clock import Lap
from shared.encoders.pixels.preprocessing import Pixels
from shared.imaging.decoders.decoder import Decoder
from shared.imaging.decoders.policy import DecodePolicy
from shared.imaging.decoders.pool import DecodePool
from shared.imaging.decoders.threads import DecodeThreads


class BareModel:
    """A Work: the model and the code, on pixels that were decoded before."""

    def __init__(self, threads: int) -> None:
        self._bare = BareExtraction(threads)
        self._pixels = cache(self._decode)

    def seconds(self, files: Sequence[Path]) -> float:
        pixels = [self._pixels(file) for file in files]
        return len(pixels) / self._bare.model_rate(pixels)

    def _decode(self, file: Path) -> Pixels:
        return self._bare.decode(file.read_bytes())


class _Decoding:
    """A Work: a decoder, on files that are in memory. Its context stays entered as long as the process lives."""

    def __init__(self, kind: type[DecodePool | DecodeThreads], threads: int) -> None:
        encoder, _ = load_encoder_and_code(threads, "torch")
        preprocessing = encoder.preprocessing
        self._decoder: Decoder = kind(
            preprocessing.to_pixels, DecodePolicy(processes=threads), size_hint=preprocessing.decode_size
        )
        self._runner = asyncio.Runner()
        self._runner.run(self._decoder.__aenter__())

    def seconds(self, files: Sequence[Path]) -> float:
        return self._runner.run(self._decode([file.read_bytes() for file in files]))

    async def _decode(self, images: Sequence[bytes]) -> float:
        with Lap() as lap:
            await asyncio.gather(*map(self._decoder.decode, images))
        return lap.ms / 1000


class DecodingInProcesses(_Decoding):
    """As the extractor decodes."""

    def __init__(self, threads: int) -> None:
        super().__init__(DecodePool, threads)


class DecodingInThreads(_Decoding):
    """The same without processes of its own, which would be the least that decoding can cost."""

    def __init__(self, threads: int) -> None:
        super().__init__(DecodeThreads, threads)
