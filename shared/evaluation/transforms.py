"""How pictures are changed by those who pass them on; docs/evaluation.md has the same table."""

import io
import string
from collections.abc import Callable
from types import MappingProxyType
from zlib import crc32

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Transform = Callable[[Image.Image, np.random.Generator], Image.Image]
"""Maps a picture in RGB to a changed one, also in RGB."""


def changed(image: Image.Image, transform: str, *, seed: int, name: str) -> Image.Image:
    """Change a picture in RGB by the transform of that name. The same seed and name of the picture change it alike."""
    generator = np.random.default_rng([seed, crc32(transform.encode()), crc32(name.encode(errors="surrogateescape"))])
    return TRANSFORMS[transform](image, generator)


def crop(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Keep a part with half the area and the same shape, at a place that is drawn."""
    width, height = (max(1, round(side * 0.5**0.5)) for side in image.size)
    left, top = generator.integers(image.width - width + 1), generator.integers(image.height - height + 1)
    return image.crop((int(left), int(top), int(left) + width, int(top) + height))


def scale(image: Image.Image, _: np.random.Generator) -> Image.Image:
    """Make both sides a quarter as long."""
    return image.resize((max(1, image.width // 4), max(1, image.height // 4)), Image.Resampling.LANCZOS)


def jpeg(image: Image.Image, _: np.random.Generator) -> Image.Image:
    """Save it as a JPEG of quality 10, with colours at half the resolution."""
    data = io.BytesIO()
    image.save(data, "JPEG", quality=10, subsampling="4:2:0")
    return Image.open(data).convert("RGB")


def blur(image: Image.Image, _: np.random.Generator) -> Image.Image:
    """Blur it by a Gaussian whose standard deviation is a fiftieth of the shorter side."""
    return image.filter(ImageFilter.GaussianBlur(min(image.size) / 50))


def colour(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Turn the hue by up to 18 degrees; change light, contrast and saturation by factors from 0.6 to 1.4, all drawn."""
    hue, saturation, value = image.convert("HSV").split()
    turn = int(generator.integers(-13, 14))  # of 256
    image = Image.merge("HSV", (hue.point(lambda old: (old + turn) % 256), saturation, value)).convert("RGB")
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhancer(image).enhance(generator.uniform(0.6, 1.4))
    return image


def text(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Write 12 letters, white with a black edge, over nine tenths of the width; letters and height are drawn."""
    words = "".join(generator.choice(list(string.ascii_uppercase), 12))
    unit = ImageFont.load_default(100)
    font = ImageFont.load_default(max(1.0, 100 * 0.9 * image.width / unit.getlength(words)))
    edge = max(1, round(image.width / 200))
    left, top, right, bottom = font.getbbox(words, stroke_width=edge)
    place = (image.width - (right - left)) / 2 - left, generator.uniform(0, max(0, image.height - (bottom - top))) - top
    written = image.copy()
    ImageDraw.Draw(written).text(place, words, font=font, fill="white", stroke_width=edge, stroke_fill="black")
    return written


def rotate(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Turn it by 5 to 25 degrees, either way, on black; nothing is cut off."""
    degrees = generator.uniform(5, 25) * generator.choice([-1, 1])
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True)


def mirror(image: Image.Image, _: np.random.Generator) -> Image.Image:
    """Swap left and right."""
    return ImageOps.mirror(image)


TRANSFORMS: MappingProxyType[str, Transform] = MappingProxyType(
    {transform.__name__: transform for transform in (crop, scale, jpeg, blur, colour, text, rotate, mirror)}
)
"""By name, in the order of all tables."""
