"""From a decoded image to the pixels that an encoder takes."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]
"""(3, height, width), RGB."""

Interpolation = Literal["bilinear", "bicubic", "lanczos"]

_REDUCING_GAP = 3.0  # Pillow's documentation: at 3.0 and above, nearly the same as without it


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """How an encoder wants its images: the shorter side scaled, the centre cut out, the values normalised.

    It is a part of the scheme, so two encoders that differ only here never share an index.
    """

    crop: int
    """The side of the square that the encoder sees, in pixels."""
    resize: int
    """The shorter side of the whole image before the square is cut out of it, in pixels."""
    interpolation: Interpolation
    mean: tuple[float, float, float]
    """Subtracted from each channel, on the scale 0 to 255."""
    std: tuple[float, float, float]
    """Each channel is divided by this afterwards, on the scale 0 to 255."""
    revision: int = 2
    """Raised whenever the code here or in the decoder changes the pixels that come out."""

    def __post_init__(self) -> None:
        if not 0 < self.crop <= self.resize:
            raise ValueError(f"a crop of {self.crop} pixels cannot be cut out of a side of {self.resize}")
        if self.interpolation not in get_args(Interpolation):
            raise ValueError(f"interpolation {self.interpolation!r} is none of {', '.join(get_args(Interpolation))}")
        if min(self.std) <= 0:
            raise ValueError(f"the standard deviations {self.std} must be positive")

    @property
    def decode_size(self) -> int:
        """Return the shorter side below which the decoder should not scale: twice what is resized to."""
        return 2 * self.resize

    def to_pixels(self, image: Image.Image) -> Pixels:
        """Scale and cut out the centre in one step. Takes mode RGB; runs in the decoder's thread."""
        side = min(image.size) * self.crop / self.resize
        left, top = (image.width - side) / 2, (image.height - side) / 2
        square = image.resize(
            (self.crop, self.crop),
            Image.Resampling[self.interpolation.upper()],
            box=(left, top, left + side, top + side),
            reducing_gap=_REDUCING_GAP,
        )
        return np.ascontiguousarray(np.asarray(square).transpose(2, 0, 1))
