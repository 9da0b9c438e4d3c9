"""Many small JPEG files, each of another look, cut from the sample photos."""

import io
import random
from collections.abc import Iterator

from PIL import Image, ImageEnhance

from tests.harness.service import PHOTOS

_SIDE = 96


def small_pictures(count: int, *, seed: int = 0) -> Iterator[bytes]:
    """JPEG files of 96 by 96 pixels: crops of the photos, mirrored and tinted by chance; a seed repeats them."""
    chance = random.Random(seed)  # noqa: S311 - variety is wanted, not secrecy
    photos = [Image.open(path).convert("RGB") for path in sorted(PHOTOS.rglob("*.webp"))]
    for number in range(count):
        photo = photos[number % len(photos)]
        side = int(min(photo.size) * chance.uniform(0.4, 0.9))
        left, top = chance.randrange(photo.width - side + 1), chance.randrange(photo.height - side + 1)
        cut = photo.crop((left, top, left + side, top + side)).resize((_SIDE, _SIDE))
        if chance.random() < 0.5:
            cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        tinted = ImageEnhance.Color(cut).enhance(chance.uniform(0.3, 1.8))
        data = io.BytesIO()
        tinted.save(data, "JPEG", quality=85)
        yield data.getvalue()
