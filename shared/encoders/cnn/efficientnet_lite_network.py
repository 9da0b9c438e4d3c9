"""The network of EfficientNet-Lite0, in torch alone: timm has it too, and takes seconds to import at every start.

Its tensors have the names that they have in timm, and padding is TensorFlow's, as in the training of the weights.
"""

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor, nn

DIM = 1280
_EPSILON = 1e-3  # of TensorFlow, in which it was trained
_STEM = 32


@dataclass(frozen=True, slots=True)
class _Stage:
    """Blocks of one shape, of which the first changes the size and the number of channels."""

    depth: int
    kernel: int
    stride: int
    expansion: int
    channels: int


_STAGES = (
    _Stage(depth=1, kernel=3, stride=1, expansion=1, channels=16),
    _Stage(depth=2, kernel=3, stride=2, expansion=6, channels=24),
    _Stage(depth=2, kernel=5, stride=2, expansion=6, channels=40),
    _Stage(depth=3, kernel=3, stride=2, expansion=6, channels=80),
    _Stage(depth=3, kernel=5, stride=1, expansion=6, channels=112),
    _Stage(depth=4, kernel=5, stride=2, expansion=6, channels=192),
    _Stage(depth=1, kernel=3, stride=1, expansion=6, channels=320),
)
STAGE_DEPTHS = tuple(stage.depth for stage in _STAGES)
MAP_CHANNELS = _STAGES[-1].channels
"""Of the last map, which is side/32 pixels high and wide."""


def efficientnet_lite0_network() -> nn.Module:
    """Return the untrained network without its classifier.

    It maps float32 (batch, 3, side, side) to (batch, DIM); side: a multiple of 32.
    """
    channels, stages = _STEM, []
    for stage in _STAGES:
        blocks = []
        for number in range(stage.depth):
            blocks.append(_block(channels, stage, stride=stage.stride if number == 0 else 1))
            channels = stage.channels
        stages.append(nn.Sequential(*blocks))
    return nn.Sequential(
        OrderedDict(
            [
                ("conv_stem", _SamePadded(3, _STEM, kernel=3, stride=2)),
                ("bn1", _norm(_STEM)),
                ("act1", nn.ReLU6()),
                ("blocks", nn.Sequential(*stages)),
                ("conv_head", nn.Conv2d(channels, DIM, 1, bias=False)),
                ("bn2", _norm(DIM)),
                ("act2", nn.ReLU6()),
                ("pool", nn.AdaptiveAvgPool2d(1)),
                ("flatten", nn.Flatten()),
            ]
        )
    )


def _block(channels: int, stage: _Stage, *, stride: int) -> nn.Module:
    """Return an inverted residual block: expand the channels, convolve each by itself, project them."""
    expanded = channels * stage.expansion
    depthwise = _SamePadded(expanded, expanded, kernel=stage.kernel, stride=stride, groups=expanded)
    projection = nn.Conv2d(expanded, stage.channels, 1, bias=False)
    layers: list[tuple[str, nn.Module]]
    if stage.expansion == 1:
        layers = [
            ("conv_dw", depthwise),
            ("bn1", _norm(expanded)),
            ("act1", nn.ReLU6()),
            ("conv_pw", projection),
            ("bn2", _norm(stage.channels)),
        ]
    else:
        layers = [
            ("conv_pw", nn.Conv2d(channels, expanded, 1, bias=False)),
            ("bn1", _norm(expanded)),
            ("act1", nn.ReLU6()),
            ("conv_dw", depthwise),
            ("bn2", _norm(expanded)),
            ("act2", nn.ReLU6()),
            ("conv_pwl", projection),
            ("bn3", _norm(stage.channels)),
        ]
    return (_Residual if stride == 1 and channels == stage.channels else nn.Sequential)(OrderedDict(layers))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON)


class _Residual(nn.Sequential):
    def forward(self, values: Tensor) -> Tensor:
        change = values
        for layer in self:
            change = layer(change)
        return values + change


class _SamePadded(nn.Conv2d):
    """A convolution with TensorFlow's padding, which puts the odd row and column behind. For sides that are even."""

    def __init__(self, channels: int, into: int, *, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__(channels, into, kernel, stride=stride, groups=groups, bias=False)
        before, behind = (kernel - stride) // 2, (kernel - stride + 1) // 2
        self._around = (before, behind, before, behind)

    def forward(self, values: Tensor) -> Tensor:
        return super().forward(nn.functional.pad(values, self._around))
