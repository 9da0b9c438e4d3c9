"""A part of a picture, in shares of its sides, so that it means the same at every size."""

import math
from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True, slots=True)
class Region:
    """Shares of the upright picture's width (left, right) and height (top, bottom), from its upper left corner.

    0 ≤ left < right ≤ 1, and so for the height. Raises ValueError for others.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError(
                "a region is [left, top, right, bottom] in shares of the picture's sides, from 0 to 1, left before "
                f"right and top before bottom, not {[self.left, self.top, self.right, self.bottom]}"
            )

    def size_hint(self, size_hint: int | None) -> int | None:
        """Return how small the shorter side of the whole may be for that of the part to have `size_hint` pixels."""
        if size_hint is None:
            return None
        return math.ceil(size_hint / min(self.right - self.left, self.bottom - self.top))

    def cut_from(self, image: Image.Image) -> Image.Image:
        """Return the pixels that lie in it, in part or whole: one at least."""
        return image.crop(
            (
                math.floor(self.left * image.width),
                math.floor(self.top * image.height),
                math.ceil(self.right * image.width),
                math.ceil(self.bottom * image.height),
            )
        )
