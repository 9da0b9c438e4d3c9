"""From the maps of a network to one vector: which map, how it is pooled, and at which sizes of the image."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize

from shared.encoders.cnn.maps import MapOf, last_map
from shared.encoders.cnn.pooling import average, generalized_mean, maximum, regional_maxima

Pool = Literal["avg", "max", "gem", "rmac"]
POOLS: tuple[str, ...] = get_args(Pool)
_PLAIN: Mapping[str, str] = MappingProxyType({"p": "3", "scales": "1"})
"""What need not be said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """How an image is described by a network.

    pool: None leaves it to the network. p: of gem. layer: whose output is pooled; None is the last map that there is.
    scales: sizes of the image, relative to the network's own; the vectors of all of them, of length 1 each, are added.
    """

    pool: str | None
    p: float = 3.0
    layer: str | None = None
    scales: tuple[float, ...] = (1.0,)

    def __str__(self) -> str:
        said = {
            "layer": self.layer,
            "p": f"{self.p:g}" if self.pool == "gem" else None,
            "pool": self.pool,
            "scales": ",".join(f"{scale:g}" for scale in self.scales),
        }
        return "&".join(f"{key}={value}" for key, value in said.items() if value and value != _PLAIN.get(key))

    def over(self, network: nn.Module, side: int) -> nn.Module:
        """Return what describes images of that side, in pixels. Raises ValueError where the network cannot."""
        if self.pool is not None:
            network = _Pooled(MapOf(network, self.layer or last_map(network, side)), self.pool, self.p)
        return (
            network if self.scales == (1.0,) else _MultiScale(network, [round(side * scale) for scale in self.scales])
        )


class _Pooled(nn.Module):
    def __init__(self, map_: nn.Module, pool: str, p: float) -> None:
        super().__init__()
        self._map = map_
        self._pool = pool
        self._p = p

    def forward(self, images: Tensor) -> Tensor:
        map_: Tensor = self._map(images)
        if self._pool == "rmac":
            return regional_maxima(map_)
        if self._pool == "gem":
            return generalized_mean(map_, self._p)
        return maximum(map_) if self._pool == "max" else average(map_)


class _MultiScale(nn.Module):
    def __init__(self, network: nn.Module, sides: list[int]) -> None:
        super().__init__()
        self._network = network
        self._sides = sides

    def forward(self, images: Tensor) -> Tensor:
        total = images.new_zeros(())
        for side in self._sides:
            scaled = images
            if side != int(images.shape[-1]):
                scaled = interpolate(images, (side, side), mode="bilinear", align_corners=False)
            total = total + normalize(self._network(scaled))
        return total
