"""The image files that all contenders take."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from benchmarks.photos import FOLDER

_PHONE_PIXELS = 4_000_000
_EVERY = 4
_QUALITY = 85


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """A set of files.

    prefix: of the names of its ratios. inline: whether they travel inside the upload events, or are referred to by
    file://.
    """

    title: str
    prefix: str
    files: Sequence[Path]
    inline: bool

    def passes(self, count: int) -> "Pictures":
        """The whole set, so many times over."""
        return replace(self, files=[*self.files] * count)

    def one(self) -> "Pictures":
        return replace(self, files=self.files[:1])


def small_webps() -> Pictures:
    """The photos as they are: WebP, mostly 320 pixels wide, 27 kB on average."""
    return Pictures(title="WebP photos, inline", prefix="", files=sorted(FOLDER.rglob("*.webp")), inline=True)


def large_jpegs(folder: Path) -> Pictures:
    """The same photos as JPEG files, every fourth scaled up to what a phone takes."""
    folder.mkdir()
    files = []
    for number, photo in enumerate(small_webps().files):
        image = Image.open(photo).convert("RGB")
        if number % _EVERY == 0:
            scale = (_PHONE_PIXELS / (image.width * image.height)) ** 0.5
            image = image.resize((round(scale * image.width), round(scale * image.height)), Image.Resampling.LANCZOS)
        file = folder / f"{photo.stem}.jpg"
        data = io.BytesIO()
        image.save(data, "JPEG", quality=_QUALITY)
        file.write_bytes(data.getvalue())
        files.append(file)
    return Pictures(
        title="JPEG files, every fourth of 4 megapixels, by reference", prefix="jpeg_", files=files, inline=False
    )
