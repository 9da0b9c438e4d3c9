"""From every way in which files store colour to plain RGB."""

import numpy as np
from PIL import Image

from shared.events.faults import PoisonInput, RejectReason
from shared.imaging.profiles import to_srgb

_SIXTEEN_BIT = {"I;16", "I;16L", "I;16B", "I;16N", "I"}  # "I" is how some readers hand out 16-bit grey
_IN_A_PROFILE = {"L", "RGB", "CMYK", "LAB"}
_DERIVED = {"1": "L", "P": "RGB", "RGBX": "RGB", "YCbCr": "RGB", "HSV": "RGB"}
_WITH_ALPHA = {"LA": "L", "La": "L", "RGBA": "RGB", "RGBa": "RGB", "PA": "RGB"}
_STRIP_PIXELS = 4_000_000


def to_rgb(image: Image.Image) -> Image.Image:
    """Return the image in mode RGB: sRGB, transparency over white, 16 bits scaled to 8 rather than cut off.

    Takes little more memory than the result. Raises PoisonInput (UNSUPPORTED_FORMAT) for
    colours with no agreed way to RGB, such as floating-point samples.
    """
    rows = max(1, _STRIP_PIXELS // image.width)
    if rows >= image.height or _is_plain(image):
        return _strip_to_rgb(image)
    drawing = Image.new("RGB", image.size)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        drawing.paste(_strip_to_rgb(strip), (0, top))
    return drawing


def _is_plain(image: Image.Image) -> bool:
    return image.mode == "RGB" and not image.has_transparency_data and "icc_profile" not in image.info


def _strip_to_rgb(image: Image.Image) -> Image.Image:
    colours, alpha = _split(image)
    drawn = to_srgb(colours)
    if alpha is None:
        return drawn
    paper = Image.new("RGB", image.size, "white")
    paper.paste(drawn, mask=alpha)
    return paper


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Part the colours, in a mode that a profile may speak of, from the transparency."""
    mode = image.mode
    if mode in _SIXTEEN_BIT:
        return _eight_bit(image)
    if mode in _WITH_ALPHA or (mode in _IN_A_PROFILE | _DERIVED.keys() and image.has_transparency_data):
        colours = _WITH_ALPHA.get(mode) or _DERIVED.get(mode, mode)
        layered = image.convert("LA" if colours == "L" else "RGBA")
        return layered.convert(colours), layered.getchannel("A")
    if mode in _IN_A_PROFILE:
        return image, None
    if mode in _DERIVED:
        return image.convert(_DERIVED[mode]), None
    raise PoisonInput(
        RejectReason.UNSUPPORTED_FORMAT, f"the image stores its colours as {mode!r}; save it as 8-bit RGB"
    )


def _eight_bit(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    samples = np.asarray(image).astype(np.int64).clip(0, 65535)
    grey = Image.fromarray((samples >> 8).astype(np.uint8))
    grey.info = image.info
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return grey, None
    return grey, Image.fromarray(np.where(samples == transparent, 0, 255).astype(np.uint8))
