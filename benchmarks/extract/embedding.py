"""The same model as those use it who have no extractor: Pillow, torchvision's transforms, a batch of tensors."""

from pathlib import Path
from typing import BinaryIO

from PIL import Image
from torch import Tensor
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, PILToTensor, Resize

from benchmarks.bare import load_encoder_and_code
from shared.encoders.backends.backend import Backend


class EmbeddingModel:
    """The extractor's encoder behind the usual transforms.

    backend: the extractor's own where none is named. With torch it is eager, float32 and channels-last.
    """

    def __init__(self, threads: int, backend: Backend | None) -> None:
        self._encoder, _ = load_encoder_and_code(threads, backend)
        preprocessing = self._encoder.preprocessing
        self._transform = Compose(
            [
                Resize(preprocessing.resize, InterpolationMode(preprocessing.interpolation)),
                CenterCrop(preprocessing.crop),
                PILToTensor(),
            ]
        )

    def load(self, file: Path | BinaryIO) -> Tensor:
        """Return uint8 (3, height, width); the encoder normalises."""
        with Image.open(file) as image:
            return self._transform(image.convert("RGB"))

    def embed(self, batch: Tensor) -> Tensor:
        """Return float32 (batch, dim), rows of norm 1. Takes uint8 (batch, 3, height, width)."""
        return self._encoder.encode(batch)
