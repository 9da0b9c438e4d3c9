"""The way of a batch to the device, and of its codes back."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from shared.encoders.pixels.preprocessing import Pixels


class BatchStage:
    """Memory in which batches are put together, taken once.

    For CUDA it is page-locked, from where the device copies by itself. Not safe for two threads.
    """

    def __init__(self, max_batch: int, side: int, device: torch.device) -> None:
        self._device = device
        self._images = torch.empty((max_batch, 3, side, side), dtype=torch.uint8, pin_memory=device.type == "cuda")
        self._rows = self._images.numpy()

    def load(self, batch: Sequence[Pixels | Tensor]) -> Tensor:
        """Return the images on the device: uint8, (batch, 3, side, side), at most `max_batch`.

        Those that are tensors are on the device already. The copy may still be under way, and on the CPU there is
        none: the batch must be done with, its codes fetched, before the next one is loaded.
        """
        on_host = [image for image in batch if not isinstance(image, Tensor)]
        count = len(on_host)
        if on_host:
            np.stack(on_host, out=self._rows[:count])
        copied = self._images[:count].to(self._device, non_blocking=True)
        if count == len(batch):
            return copied
        rows = iter(copied)
        return torch.stack([image if isinstance(image, Tensor) else next(rows) for image in batch])


def fetch_rows(codes: Tensor, usable: Tensor) -> list[bytes | None]:
    """Bring codes back to the host, in one copy with what tells which of them are of use; None stands for the others.

    codes: (batch, ...), each row contiguous. usable: bool, (batch,), on the same device.
    """
    rows = codes.flatten(1).view(torch.uint8)
    table = torch.cat([rows, usable[:, None].to(torch.uint8)], dim=1).cpu().numpy()
    return [row[:-1].tobytes() if row[-1] else None for row in table]
