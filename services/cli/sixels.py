"""Pictures as sixels: strips of six pixels' height, each drawn once for every colour in it.

https://vt100.net/docs/vt3xx-gp/chapter14.html
"""

from collections.abc import Iterator
from itertools import groupby

import numpy as np
import numpy.typing as npt
from PIL import Image

_COLOURS = 255
_HEIGHT = 6
_SIX = 1 << np.arange(_HEIGHT)
_LOWEST = 63  # "?": no pixel set


def sixels(image: Image.Image) -> str:
    """The escape sequence that draws an image where the cursor stands, one pixel for one. image: RGB."""
    paletted = image.quantize(_COLOURS)
    rows = np.asarray(paletted)
    palette = np.asarray(paletted.getpalette()).reshape(-1, 3)
    colours = "".join(
        f"#{number};2;{red};{green};{blue}" for number, (red, green, blue) in enumerate((palette * 100 + 127) // 255)
    )
    strips = "-".join(_strip(rows[top : top + _HEIGHT]) for top in range(0, len(rows), _HEIGHT))
    return f'\x1bPq"1;1;{image.width};{image.height}{colours}{strips}\x1b\\'


def _strip(rows: npt.NDArray[np.uint8]) -> str:
    """rows: (up to 6, width), the numbers of the colours."""
    return "$".join(f"#{colour}{''.join(_runs(rows == colour))}" for colour in np.unique(rows))


def _runs(pixels: npt.NDArray[np.bool_]) -> Iterator[str]:
    """pixels: (up to 6, width); a character for each column, and a count before those that repeat."""
    for value, same in groupby(_SIX[: len(pixels)] @ pixels):
        count = sum(1 for _ in same)
        character = chr(_LOWEST + value)
        yield f"!{count}{character}" if count > 3 else character * count
