"""The default CNN cut in two: the map that a head can read place by place, and the features that it pools itself."""

from torch import Tensor, nn

from shared.encoders.cnn.efficientnet_lite_network import DIM, MAP_CHANNELS, efficientnet_lite0_network


class MappedCnn(nn.Module):
    """EfficientNet-Lite0, which gives its last map beside its pooled features. Its tensors keep their names."""

    map_channels = MAP_CHANNELS
    pooled_dim = DIM

    def __init__(self) -> None:
        super().__init__()
        for name, layer in efficientnet_lite0_network().named_children():
            self.add_module(name, layer)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map float32 (batch, 3, side, side) to (batch, map_channels, side/32, side/32) and (batch, pooled_dim)."""
        values = images
        for name, layer in self.named_children():
            if name == "conv_head":
                return values, self._pooled(values)
            values = layer(values)
        raise AssertionError("EfficientNet-Lite0 has a conv_head")

    def _pooled(self, feature_map: Tensor) -> Tensor:
        values = feature_map
        for name in ("conv_head", "bn2", "act2", "pool", "flatten"):
            values = self.get_submodule(name)(values)
        return values
