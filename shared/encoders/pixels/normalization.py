"""The step of preprocessing that runs on the device."""

import torch
from torch import Tensor, nn

from shared.encoders.pixels.preprocessing import Preprocessing


class Normalization(nn.Module):
    """Brings pixel values onto the scale of the training: (x - mean) / std for each channel."""

    mean: Tensor
    std: Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        for name in ("mean", "std"):
            values = torch.tensor(getattr(preprocessing, name)).view(3, 1, 1)
            self.register_buffer(name, values, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return float32 in channels-last order. Takes uint8, (batch, 3, height, width)."""
        values = images.to(torch.float32, memory_format=torch.channels_last)
        return (values - self.mean) / self.std
