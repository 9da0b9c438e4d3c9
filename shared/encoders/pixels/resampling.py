"""Scaling and cutting on the device that an image is on, as `Preprocessing.to_pixels` does both with Pillow."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from shared.encoders.pixels.preprocessing import Interpolation, Preprocessing

_REDUCTIONS = (8, 4, 2)
"""By what a JPEG can be decoded smaller in its own transform."""

_TURNS: dict[int, tuple[bool, tuple[int, ...]]] = {
    2: (False, (-1,)),
    3: (False, (-2, -1)),
    4: (False, (-2,)),
    5: (True, ()),
    6: (True, (-1,)),
    7: (True, (-2, -1)),
    8: (True, (-2,)),
}
"""What undoes each orientation of EXIF 2.32, 4.6.4: whether rows become columns, and then which axes are mirrored."""


def to_square(image: Tensor, preprocessing: Preprocessing, orientation: int) -> Tensor:
    """Scale the image, cut out the centre and turn it upright, where it is.

    image: uint8, (3, height, width), at the full size of its file.
    returns: uint8, (3, crop, crop). The centre of a picture is the same whichever way up it lies.
    """
    pixels = _reduced(image.float(), preprocessing.decode_size)
    height, width = pixels.shape[-2:]
    side = min(height, width) * preprocessing.crop / preprocessing.resize
    rows = _weights(height, side, preprocessing, image.device)
    columns = _weights(width, side, preprocessing, image.device)
    square = _to_levels(rows @ _to_levels(pixels @ columns.mT))
    return _upright(square.to(torch.uint8), orientation)


def _reduced(pixels: Tensor, decode_size: int) -> Tensor:
    """Halve the picture as often as a JPEG decoder would in the transform, and never below twice what is scaled to."""
    excess = min(pixels.shape[-2:]) // decode_size
    factor = next((factor for factor in _REDUCTIONS if factor <= excess), 1)
    return pixels if factor == 1 else _to_levels(avg_pool2d(pixels, factor, ceil_mode=True))


def _weights(length: int, side: float, preprocessing: Preprocessing, device: torch.device) -> Tensor:
    """Return how much of each of `length` pixels goes into each pixel of the square: float32, (crop, length).

    It is the convolution of Pillow's `Image.resize` over a box in the middle: the filter is as much wider as the
    picture becomes smaller, and pixels beside the box that it reaches count too.
    """
    scale = side / preprocessing.crop
    places = torch.arange(preprocessing.crop, dtype=torch.float64, device=device)
    centres = (length - side) / 2 + (places + 0.5) * scale
    pixels = torch.arange(length, dtype=torch.float64, device=device) + 0.5
    distances = (pixels - centres[:, None]).abs() / max(scale, 1.0)
    weights = _FILTERS[preprocessing.interpolation](distances)
    return (weights / weights.sum(dim=1, keepdim=True)).float()


def _bilinear(distance: Tensor) -> Tensor:
    return (1 - distance).clamp(min=0)


def _bicubic(distance: Tensor) -> Tensor:
    """Keys' cubic convolution with a = -1/2 (IEEE Transactions on ASSP 29, 1981)."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < 2, far, 0.0))


def _lanczos(distance: Tensor) -> Tensor:
    return torch.where(distance < 3, torch.sinc(distance) * torch.sinc(distance / 3), 0.0)


_FILTERS: dict[Interpolation, Callable[[Tensor], Tensor]] = {
    "bilinear": _bilinear,
    "bicubic": _bicubic,
    "lanczos": _lanczos,
}


def _to_levels(pixels: Tensor) -> Tensor:
    """Round to what 8 bits hold, as each step of Pillow's does."""
    return pixels.round().clamp(0, 255)


def _upright(square: Tensor, orientation: int) -> Tensor:
    swapped, mirrored = _TURNS.get(orientation, (False, ()))
    return (square.mT if swapped else square).flip(mirrored)
