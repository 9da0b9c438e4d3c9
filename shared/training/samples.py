"""A sheet of pictures, to look at."""

from math import isqrt
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor


def write_sheet(pictures: Tensor, path: Path) -> None:
    """Write pictures between -1 and 1, (count, 3, side, side), as one PNG; count: a square number."""
    across = isqrt(len(pictures))
    levels = ((pictures.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    side = levels.shape[-1]
    rows = levels.reshape(across, across, 3, side, side).permute(0, 3, 1, 4, 2)
    Image.fromarray(rows.reshape(across * side, across * side, 3).numpy()).save(path)
