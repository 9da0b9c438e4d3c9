"""Changed views of pictures, of which an embedding should say that they show the same."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """By how much pictures are changed, all of a batch at once and each in its own way."""

    smallest_area: float = 0.35
    """Of the part that is cut out, as a share of the whole."""
    stretch: float = 4 / 3
    """The highest ratio between the scales of the two sides."""
    turn_radians: float = 0.2
    light: float = 0.3
    """By how much brightness, contrast and saturation go up or down."""

    def views(self, images: Tensor, side: int, generator: torch.Generator) -> Tensor:
        """Cut out, mirror, turn, scale and recolour.

        images: uint8 or float on the scale 0 to 255, (batch, 3, height, width). returns: float32,
        (batch, 3, side, side), with gradients, on the same scale. What lies outside repeats the border.
        """
        grid = nn.functional.affine_grid(
            self._places(len(images), generator).to(images.device), [len(images), 3, side, side], align_corners=False
        )
        cut = nn.functional.grid_sample(images.float(), grid, padding_mode="border", align_corners=False)
        return self._recoloured(cut, generator)

    def _places(self, count: int, generator: torch.Generator) -> Tensor:
        """Return the affine maps from the view to the picture, (count, 2, 3), in coordinates from -1 to 1."""
        area = self.smallest_area + (1 - self.smallest_area) * torch.rand(count, generator=generator)
        ratio = torch.exp(_around_zero(count, generator) * math.log(self.stretch))
        wide, high = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
        left, top = (_around_zero(count, generator) * (1 - size) for size in (wide, high))
        mirrored = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
        angle = _around_zero(count, generator) * self.turn_radians
        rows = [
            [wide * mirrored * angle.cos(), -high * angle.sin(), left],
            [wide * mirrored * angle.sin(), high * angle.cos(), top],
        ]
        return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)

    def _recoloured(self, images: Tensor, generator: torch.Generator) -> Tensor:
        def factor() -> Tensor:
            return (1 + self.light * _around_zero(len(images), generator))[:, None, None, None].to(images.device)

        brighter = images * factor()
        mean = brighter.mean(dim=(1, 2, 3), keepdim=True)
        contrasted = (brighter - mean) * factor() + mean
        grey = contrasted.mean(dim=1, keepdim=True)
        return ((contrasted - grey) * factor() + grey).clamp(0, 255)


def _around_zero(count: int, generator: torch.Generator) -> Tensor:
    return 2 * torch.rand(count, generator=generator) - 1
