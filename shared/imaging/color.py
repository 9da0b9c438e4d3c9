"""From every way in which files store colour to plain RGB."""

import numpy as np
from PIL import Image

from shared.events.faults import PoisonInput, RejectReason

_SIXTEEN_BIT = {"I;16", "I;16L", "I;16B", "I;16N", "I"}  # "I" is how some readers hand out 16-bit grey
_PLAIN = {"1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV"}
_WITH_ALPHA = {"LA", "La", "PA", "RGBA", "RGBa"}


def to_rgb(image: Image.Image) -> Image.Image:
    """Return the image in mode RGB: transparency over white, 16 bits scaled to 8 rather than cut off.

    Embedded colour profiles are not applied. Raises PoisonInput (UNSUPPORTED_FORMAT) for
    colours with no agreed way to RGB, such as floating-point samples.
    """
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.mode in _SIXTEEN_BIT:
        samples = np.asarray(image).astype(np.int64).clip(0, 65535)
        return Image.fromarray((samples >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in _WITH_ALPHA or (image.mode in _PLAIN and image.has_transparency_data):
        drawing = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", drawing.size, "white"), drawing).convert("RGB")
    if image.mode in _PLAIN:
        return image.convert("RGB")
    raise PoisonInput(
        RejectReason.UNSUPPORTED_FORMAT, f"the image stores its colours as {image.mode!r}; save it as 8-bit RGB"
    )
