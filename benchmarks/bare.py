"""The work itself, with nothing around it: decode, encode, quantize, search, in this process."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch
from usearch.compiled import MetricKind
from usearch.index import search as usearch_search

from shared.codes.code import Code
from shared.encoders.backends.backend import Backend
from shared.encoders.encoder import Encoder
from shared.encoders.engine.opening import CPU_BATCH, load_models
from shared.encoders.pixels.preprocessing import Pixels
from shared.encoders.settings import ExtractionSettings
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from shared.index.vectors import VectorFormat

_METRICS = {"cos": MetricKind.Cos, "l2sq": MetricKind.L2sq, "hamming": MetricKind.Hamming}
BATCH: int = CPU_BATCH
"""Images in one run of the model: as many as the extractor takes where nobody sets it otherwise."""


def load_encoder_and_code(threads: int, backend: Backend | None = None) -> tuple[Encoder, Code]:
    """The workers' own, from the same settings; with another backend where one is named."""
    settings = ExtractionSettings(threads=threads)
    return load_models(settings if backend is None else settings.model_copy(update={"backend": backend}))


class BareExtraction:
    """The workers' encoder and code, from the same settings, called directly.

    threads: for the model, and for decoding many.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._encoder, self._code = load_encoder_and_code(threads)
        self._limits = ImageLimits()

    @property
    def vector_format(self) -> VectorFormat:
        return VectorFormat.named(self._code.dtype, self._code.metric)

    @property
    def code_bytes(self) -> int:
        return self._code.bytes_per_vector(self._encoder.dim)

    def decode(self, data: bytes) -> Pixels:
        preprocessing = self._encoder.preprocessing
        return preprocessing.to_pixels(decode_rgb(data, self._limits, preprocessing.decode_size))

    def vector(self, data: bytes) -> list[float]:
        """What a query by vector would bring."""
        return [float(value) for value in self._encoder.encode(torch.from_numpy(self.decode(data)[None]))[0]]

    def vectors(self, images: Sequence[bytes]) -> npt.NDArray[np.float32]:
        """The features of many images in one run of the model: (images, dim), unit vectors."""
        return self._encoder.encode(torch.from_numpy(np.stack([self.decode(data) for data in images]))).numpy()

    def extract(self, data: bytes) -> bytes:
        """The code of one image."""
        vectors = self._encoder.encode(torch.from_numpy(self.decode(data)[None]))
        return self._code.encode(vectors).numpy().tobytes()

    def decode_rate(self, files: Sequence[bytes]) -> float:
        """Images a second, decoding alone."""
        with ThreadPoolExecutor(self._threads) as pool:
            started = time.perf_counter()
            for _ in pool.map(self.decode, files):
                pass
            return len(files) / (time.perf_counter() - started)

    def model_rate(self, images: Sequence[Pixels]) -> float:
        """Images a second, the model and the code alone, in batches of tensors that are in memory already."""
        batches = [torch.from_numpy(np.stack(images[first : first + BATCH])) for first in range(0, len(images), BATCH)]
        started = time.perf_counter()
        for batch in batches:
            self._code.encode(self._encoder.encode(batch))
        return len(images) / (time.perf_counter() - started)


class BareSearch:
    """USearch's exact search over all codes in one array, uint8 (rows, bytes per code)."""

    def __init__(self, codes: npt.NDArray[np.uint8], vector_format: VectorFormat) -> None:
        self._vectors = vector_format.view(codes)
        self._format = vector_format

    def __len__(self) -> int:
        return len(self._vectors)

    def search(self, code: bytes, k: int) -> None:
        query = self._format.view(np.frombuffer(code, np.uint8))
        usearch_search(self._vectors, query, k, _METRICS[self._format.metric], exact=True, threads=1)
