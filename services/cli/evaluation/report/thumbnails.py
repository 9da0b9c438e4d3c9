"""Small pictures inside of the page, each once however often it is shown."""

import base64
import html
import io

from PIL import Image

from services.cli.pictures import Picture
from shared.events.faults import PoisonInput
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits

_SIDE = 128


class Thumbnails:
    """Pictures that a page shows: `shown` refers to what `symbols` holds."""

    def __init__(self) -> None:
        self._symbols: dict[str, str] = {}
        self._numbers: dict[str, int] = {}

    def shown(self, picture: Picture, alternative: str) -> str:
        """Return the element that shows a picture, or says that it cannot be shown."""
        if picture.path not in self._numbers:
            number = self._numbers[picture.path] = len(self._numbers)
            self._symbols[picture.path] = _symbol(number, picture)
        return (
            f'<svg class="picture" viewBox="0 0 {_SIDE} {_SIDE}" role="img" aria-label="{html.escape(alternative)}">'
            f'<use href="#picture-{self._numbers[picture.path]}"/></svg>'
        )

    def symbols(self) -> str:
        """Return the element with the pictures, which itself is not seen."""
        inside = "".join(self._symbols.values())
        return f'<svg width="0" height="0" style="position: absolute" aria-hidden="true"><defs>{inside}</defs></svg>'


def _symbol(number: int, picture: Picture) -> str:
    try:
        limits = ImageLimits()
        image = decode_rgb(picture.read(limits.max_bytes), limits, _SIDE)
    except PoisonInput:  # it could be read before
        return f'<g id="picture-{number}"><text x="8" y="68">gone since</text></g>'
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    image.save(data, "JPEG", quality=80)
    source = base64.b64encode(data.getvalue()).decode()
    left, top = (_SIDE - image.width) // 2, (_SIDE - image.height) // 2
    return (
        f'<image id="picture-{number}" x="{left}" y="{top}" width="{image.width}" height="{image.height}" '
        f'href="data:image/jpeg;base64,{source}"/>'
    )
