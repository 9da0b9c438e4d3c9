"""What the frozen CNN sees in the pictures: computed once, for some views of each, and learned from many times."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from shared.encoders.backends.backend import on_backend
from shared.encoders.backends.openvino_encoder import OpenVinoEncoder
from shared.encoders.cnn import efficientnet_lite
from shared.encoders.cnn.encoder import Backbone, CnnEncoder
from shared.encoders.cnn.feature_map import MappedCnn
from shared.encoders.cnn.headed import packaged_cnn
from shared.encoders.pixels.preprocessing import Preprocessing
from shared.encoders.weights import Weights
from shared.training.augmentation import Augmentation

_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """View 0 of each picture is the one that an extractor takes; the others are changed."""

    maps: Tensor
    """float16, (views, count, channels, height, width)."""
    pooled: Tensor
    """float16, (views, count, pooled_dim)."""


class FrozenCnn:
    """Computes maps and pooled features by the fastest backend there is."""

    side = efficientnet_lite.PREPROCESSING.resize
    """Of the pictures that `look` takes."""

    def __init__(self, device: torch.device) -> None:
        preprocessing = efficientnet_lite.PREPROCESSING
        backbone = _flat(preprocessing)
        weights = Weights(backbone.borrowed(), efficientnet_lite.PACKAGED_SHA256)
        chosen = on_backend("auto", CnnEncoder("maps", backbone, weights, device))
        assert isinstance(chosen, CnnEncoder | OpenVinoEncoder)  # noqa: S101 - there are no others in float32
        self._encoder = chosen
        self._crop = preprocessing.crop

    def look(
        self,
        images: Tensor,
        views: int,
        augmentation: Augmentation,
        generator: torch.Generator,
        done: Callable[[int], None] = lambda _count: None,
    ) -> Seen:
        """Look at each picture as it is, and at so many changed views of it.

        images: uint8, (count, 3, self.side, self.side). done: hears of how many views were looked at.
        """
        rows = torch.empty(1 + views, len(images), self._encoder.dim, dtype=torch.float16)
        edge = (self.side - self._crop) // 2
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            central = batch[:, :, edge : edge + self._crop, edge : edge + self._crop]
            rows[0, start : start + _BATCH] = self._features(central)
            for view in range(1, 1 + views):
                changed = augmentation.views(batch, self._crop, generator).round().to(torch.uint8)
                rows[view, start : start + _BATCH] = self._features(changed)
            done(len(batch) * (1 + views))
        places = self._crop // 32
        maps, pooled = torch.split(rows, [MappedCnn.map_channels * places**2, MappedCnn.pooled_dim], dim=2)
        return Seen(maps=maps.reshape(1 + views, -1, MappedCnn.map_channels, places, places), pooled=pooled)

    def _features(self, images: Tensor) -> Tensor:
        return self._encoder.features(images.contiguous().to(self._encoder.device)).cpu().half()


def _flat(preprocessing: Preprocessing) -> Backbone:
    """Return the CNN that gives its map and its pooled features as one vector."""
    places = preprocessing.crop // 32
    return replace(
        efficientnet_lite.efficientnet_lite0(),
        module=_Flat(),
        dim=MappedCnn.map_channels * places**2 + MappedCnn.pooled_dim,
        rename=str,
        borrowed=packaged_cnn,
    )


class _Flat(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cnn = MappedCnn()

    def forward(self, images: Tensor) -> Tensor:
        feature_map, pooled = self.cnn(images)
        return torch.cat([feature_map.flatten(1), pooled], dim=1)
