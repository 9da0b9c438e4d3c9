"""Recurrent sweeps over a feature map.

Visin et al., "ReNet: A Recurrent Neural Network Based Alternative to Convolutional Networks" (2015): one
bidirectional recurrent layer reads each row, a second one reads each column of what the first has made, and so each
place of the result depends on the whole map.
"""

from types import MappingProxyType
from typing import Literal

from torch import Tensor, nn

Cell = Literal["gru", "lstm"]

_LAYERS: MappingProxyType[Cell, type[nn.GRU | nn.LSTM]] = MappingProxyType({"gru": nn.GRU, "lstm": nn.LSTM})


class Sweeps(nn.Module):
    """Both sweeps: (batch, channels, height, width) becomes (batch, 2 * hidden, height, width)."""

    def __init__(self, channels: int, hidden: int, cell: Cell) -> None:
        super().__init__()
        layer = _LAYERS[cell]
        self.rows = layer(channels, hidden, batch_first=True, bidirectional=True)
        self.columns = layer(2 * hidden, hidden, batch_first=True, bidirectional=True)

    def forward(self, feature_map: Tensor) -> Tensor:
        along_rows = _swept(self.rows, feature_map.permute(0, 2, 3, 1))
        along_columns = _swept(self.columns, along_rows.permute(0, 2, 1, 3))
        return along_columns.permute(0, 3, 2, 1)


def _swept(layer: nn.RNNBase, lines: Tensor) -> Tensor:
    """Read each line by itself. lines: (batch, lines, steps, channels); returns (batch, lines, steps, 2 * hidden)."""
    batch, count, steps, channels = lines.shape
    states, _ = layer(lines.reshape(batch * count, steps, channels))
    swept: Tensor = states.reshape(batch, count, steps, -1)
    return swept
