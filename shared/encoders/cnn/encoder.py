"""The CNN family: the pooled features of a convolutional (or any other) image classifier."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import torch
from torch import Tensor, nn

from shared.encoders.cnn.descriptor import Descriptor
from shared.encoders.encoder import TextEncoder
from shared.encoders.pixels.normalization import Normalization
from shared.encoders.pixels.preprocessing import Preprocessing
from shared.encoders.precision import NumberFormat, Precision
from shared.encoders.weights import Weights, load_features

_DTYPES: MappingProxyType[NumberFormat, torch.dtype] = MappingProxyType(
    {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """An untrained network without its classifier, and what must be known to use it."""

    module: nn.Module
    """Maps float32 (batch, 3, crop, crop) to features (batch, dim)."""
    dim: int
    preprocessing: Preprocessing
    classifier: tuple[str, ...]
    """The layers that stand in a weights file and are not part of `module`."""
    rename: Callable[[str], str] = str
    """Maps the names of the weights file to those of `module`."""
    borrowed: Callable[[], Mapping[str, Tensor]] = dict
    """Reads the tensors of `module` that are installed, and need not stand in a weights file."""
    texts: TextEncoder | None = None
    """Maps texts with weights that are in `module` too, where the network has a text side."""


class CnnEncoder:
    """Runs a backbone with torch in inference mode: normalise, extract, scale to unit length."""

    backend = "torch"
    number_format: NumberFormat = "f32"

    def __init__(
        self,
        name: str,
        backbone: Backbone,
        weights: Weights,
        device: torch.device,
        precision: Precision = "exact",
        descriptor: Descriptor | None = None,
    ) -> None:
        """descriptor: how the network's maps become a vector, where that is not left to the network.

        Raises ValueError where the weights do not fit, or the descriptor does not go with the network.
        """
        renamed = {backbone.rename(key): value for key, value in weights.tensors.items()}
        whole = Weights({**backbone.borrowed(), **renamed}, weights.sha256)
        load_features(backbone.module, whole, classifier=backbone.classifier)
        self.name = name
        self.weights_sha256 = weights.sha256
        self.precision = precision
        self.preprocessing = backbone.preprocessing
        self.input_size = backbone.preprocessing.crop
        pooled_anew = descriptor is not None and descriptor.pool is not None
        self.texts = None if pooled_anew else backbone.texts  # of another space than the vectors that texts have
        self.device = device
        module = backbone.module if descriptor is None else descriptor.over(backbone.module, self.input_size)
        self.network = nn.Sequential(Normalization(backbone.preprocessing), module)
        self.network.eval().requires_grad_(requires_grad=False)
        self.network.to(device).to(memory_format=torch.channels_last)
        probe = torch.zeros(1, 3, self.input_size, self.input_size, dtype=torch.uint8, device=device)
        try:
            self.dim = self.encode(probe).shape[1]
        except (AssertionError, RuntimeError) as error:
            raise ValueError(f"{name} cannot describe images of {self.input_size} pixels: {error}") from error

    def computing_in(self, number_format: NumberFormat) -> Self:
        """Return an encoder that computes the same network in another format, where torch deems that safe."""
        encoder = copy.copy(self)
        encoder.number_format = number_format
        return encoder

    @torch.inference_mode()
    def encode(self, images: Tensor) -> Tensor:
        """See Encoder.encode."""
        return nn.functional.normalize(self.features(images))

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """Return the features as the network gives them, float32 (batch, dim): what its classifier would take."""
        dtype = _DTYPES[self.number_format]
        with torch.autocast(self.device.type, dtype, enabled=dtype is not torch.float32):
            features: Tensor = self.network(images)
        if features.ndim != 2:
            raise ValueError(f"{self.name} gives features of shape {tuple(features.shape)} instead of (batch, dim)")
        return features.float()
