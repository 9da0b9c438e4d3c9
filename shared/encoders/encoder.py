"""The role of an encoder: images become feature vectors."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from shared.encoders.pixels.preprocessing import Preprocessing
from shared.encoders.precision import NumberFormat, Precision


class Described(Protocol):
    """What is known of an encoder, whatever computes it."""

    @property
    def name(self) -> str:
        """The name that `load_encoder` takes."""

    @property
    def precision(self) -> Precision:
        """Which vectors it may be compared with: a part of the scheme."""

    @property
    def weights_sha256(self) -> str:
        """The hash of the weights, in hex."""

    @property
    def dim(self) -> int:
        """The length of a feature vector."""

    @property
    def device(self) -> torch.device:
        """Where images are expected and vectors are returned."""

    @property
    def preprocessing(self) -> Preprocessing:
        """How an image becomes the pixels that `encode` takes. Normalisation is left to `encode`."""

    @property
    def input_size(self) -> int:
        """The height and the width of an image, in pixels."""


class Encoder(Described, Protocol):
    """Maps images to unit feature vectors, on the device that it lives on. Not safe for two threads at once."""

    @property
    def backend(self) -> str:
        """What computes it: `torch` or `openvino`. In the precision `exact`, vectors depend on it by rounding only."""

    @property
    def number_format(self) -> NumberFormat:
        """What it computes in on this host."""

    def encode(self, images: Tensor) -> Tensor:
        """Map images to unit feature vectors.

        images: uint8, (batch, 3, input_size, input_size), on `self.device`.
        returns: float32, (batch, self.dim), each row of norm 1. A row with no direction
        (all zero, or not finite) is the caller's to refuse.
        """


class TextEncoder(Protocol):
    """Maps texts into the space of the images of an encoder. Not safe for two threads at once."""

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        """Map texts to unit feature vectors: float32, (len(texts), dim), on the encoder's device."""


@runtime_checkable
class Textual(Protocol):
    """An encoder that may have a text side."""

    texts: TextEncoder | None


def texts_of(encoder: Described) -> TextEncoder | None:
    """Return the text side of an encoder, which most do not have."""
    return encoder.texts if isinstance(encoder, Textual) else None
