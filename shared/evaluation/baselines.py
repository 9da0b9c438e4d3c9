"""What needs no network: colours, and perceptual hashes. A family that does not beat these is of no use."""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
from PIL import Image

from shared.index.vectors import Codes, VectorFormat

_BINS = (16, 4, 4)
"""Of hue, saturation and value."""
_SIDE = 256


def colour_histogram(image: Image.Image) -> Codes:
    """Return the roots of the shares of the colours, uint8 (1024,), float32: 256 bins of hue, saturation and value.

    Their cosine is the Bhattacharyya coefficient of two histograms (Arandjelović & Zisserman 2012, section 3, of SIFT).
    """
    small = image.convert("HSV")
    small.thumbnail((_SIDE, _SIDE))
    pixels = np.asarray(small).reshape(-1, 3)
    counts, _ = np.histogramdd(pixels, bins=_BINS, range=[(0, 256)] * 3)
    return np.sqrt(counts.ravel() / len(pixels)).astype(np.float32).view(np.uint8)


def phash(image: Image.Image) -> Codes:
    """Return 64 signs of the low frequencies, uint8 (8,). Raises ImportError without imagehash."""
    import imagehash  # noqa: PLC0415 - optional

    return np.packbits(imagehash.phash(image).hash.ravel())


def dhash(image: Image.Image) -> Codes:
    """Return 64 signs of horizontal gradients, uint8 (8,). Raises ImportError without imagehash."""
    import imagehash  # noqa: PLC0415 - optional

    return np.packbits(imagehash.dhash(image).hash.ravel())


BASELINES: MappingProxyType[str, tuple[Callable[[Image.Image], Codes], VectorFormat]] = MappingProxyType(
    {
        "histogram": (colour_histogram, VectorFormat("f32", "cos")),
        "phash": (phash, VectorFormat("b1", "hamming")),
        "dhash": (dhash, VectorFormat("b1", "hamming")),
    }
)
"""By name: what maps an upright picture in RGB to its code, and how such codes are compared."""
