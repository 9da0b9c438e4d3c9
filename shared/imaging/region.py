"""Cutting a part out of a picture."""

import math

from PIL import Image

from shared.events.region import Region


def size_hint_of_whole(region: Region, size_hint: int | None) -> int | None:
    """Return how small the shorter side of the whole may be for that of the part to have `size_hint` pixels."""
    if size_hint is None:
        return None
    return math.ceil(size_hint / min(region.right - region.left, region.bottom - region.top))


def cut_out(image: Image.Image, region: Region) -> Image.Image:
    """Return the pixels that lie in the region, in part or whole: one at least."""
    return image.crop(
        (
            math.floor(region.left * image.width),
            math.floor(region.top * image.height),
            math.ceil(region.right * image.width),
            math.ceil(region.bottom * image.height),
        )
    )
