"""The CNN family: the pooled features of a convolutional (or any other) image classifier."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shared.encoders.normalization import Normalization
from shared.encoders.preprocessing import Preprocessing
from shared.encoders.weights import Weights, load_features


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


class CnnEncoder:
    """Runs a backbone with torch in inference mode: normalise, extract, scale to unit length."""

    backend = "torch"

    def __init__(self, name: str, backbone: Backbone, weights: Weights, device: torch.device) -> None:
        renamed = Weights({backbone.rename(key): value for key, value in weights.tensors.items()}, weights.sha256)
        load_features(backbone.module, renamed, classifier=backbone.classifier)
        self.name = name
        self.weights_sha256 = weights.sha256
        self.preprocessing = backbone.preprocessing
        self.input_size = backbone.preprocessing.crop
        self.device = device
        self.network = nn.Sequential(Normalization(backbone.preprocessing), backbone.module)
        self.network.eval().requires_grad_(requires_grad=False)
        self.network.to(device).to(memory_format=torch.channels_last)
        probe = torch.zeros(1, 3, self.input_size, self.input_size, dtype=torch.uint8, device=device)
        self.dim = self.encode(probe).shape[1]

    @torch.inference_mode()
    def encode(self, images: Tensor) -> Tensor:
        """See Encoder.encode."""
        return nn.functional.normalize(self.features(images))

    @torch.inference_mode()
    def features(self, images: Tensor) -> Tensor:
        """Return the features as the network gives them, float32 (batch, dim): what its classifier would take."""
        features: Tensor = self.network(images)
        if features.ndim != 2:
            raise ValueError(f"{self.name} gives features of shape {tuple(features.shape)} instead of (batch, dim)")
        return features.float()
