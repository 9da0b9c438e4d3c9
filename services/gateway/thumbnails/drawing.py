"""Making a picture small. Runs in a decoder's process, so it is quick to import."""

import io

import numpy as np
from PIL import Image

from shared.imaging.decoders.policy import Pixels

SIDE = 320
"""Of the longer side, in pixels."""
MEDIA_TYPE = "image/jpeg"


def as_thumbnail(image: Image.Image) -> Pixels:
    """The picture in RGB as a JPEG file: uint8, (bytes,). One that is small is not enlarged."""
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80, optimize=True)
    return np.frombuffer(file.getvalue(), np.uint8)
