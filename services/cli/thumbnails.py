"""Small pictures in the terminal: as its own images where it can show them, else in half blocks of colour."""

import base64
import io
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PIL import Image, ImageOps
from rich.console import Console
from rich.style import Style
from rich.text import Text

from services.cli.sixels import sixels

ROWS, COLUMNS = 6, 12
"""Of the terminal, for one picture: about a square."""
_PIXELS = 160
_SIXELS = 120
"""Pixels of a terminal that draws one for one: ROWS of about 20."""
_CHUNK = 4096
"""Characters of base64 in one of kitty's escape sequences."""


_SIXEL_TERMS = frozenset({"foot", "mlterm", "contour"})
_SIXEL_PROGRAMS = frozenset({"mintty", "contour"})
_KONSOLE_WITH_SIXELS = 220400


class Display(Enum):
    """How a terminal shows pictures."""

    KITTY = auto()
    """https://sw.kovidgoyal.net/kitty/graphics-protocol/"""
    ITERM = auto()
    """https://iterm2.com/documentation-images.html"""
    SIXEL = auto()
    """https://www.arewesixelyet.com names the terminals that can; told here are those that say who they are."""
    BLOCKS = auto()
    """Two pixels in each character: the upper half block, and what is behind it."""


def display_of(console: Console, environment: Mapping[str, str]) -> Display | None:
    """How the console's terminal shows pictures; None where it is no terminal, or has too few colours."""
    if not console.is_terminal:
        return None
    program, inside = environment.get("TERM_PROGRAM", ""), environment.get("TMUX") or environment.get("STY")
    if not inside:  # tmux and screen let no pictures through
        if environment.get("KITTY_WINDOW_ID") or environment.get("TERM") == "xterm-kitty" or program == "ghostty":
            return Display.KITTY
        if program in ("iTerm.app", "WezTerm"):
            return Display.ITERM
        if _knows_sixels(environment):
            return Display.SIXEL
    return Display.BLOCKS if console.color_system in ("truecolor", "256") else None


def _knows_sixels(environment: Mapping[str, str]) -> bool:
    konsole = environment.get("KONSOLE_VERSION", "")
    return (
        environment.get("TERM", "").partition("-")[0] in _SIXEL_TERMS
        or environment.get("TERM_PROGRAM") in _SIXEL_PROGRAMS
        or (konsole.isdecimal() and int(konsole) >= _KONSOLE_WITH_SIXELS)
    )


def local_path(uri: str | None) -> Path | None:
    """Where the image of a hit lies, if it is a file that is here, too."""
    parts = urlsplit(uri or "")
    path = Path(unquote(parts.path))
    return path if parts.scheme == "file" and path.is_file() else None


def thumbnail(path: Path, side: int = _PIXELS) -> Image.Image | None:
    """RGB, upright, at most so many pixels wide and high; None where there is none."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (side, side))
            small = ImageOps.exif_transpose(image).convert("RGB")
            small.thumbnail((side, side))
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return small


def sequence(image: Image.Image, display: Display) -> str:
    """The escape sequence that has a terminal show an image in about ROWS and COLUMNS. display: not BLOCKS."""
    if display is Display.SIXEL:
        small = image.copy()
        small.thumbnail((_SIXELS, _SIXELS))
        return sixels(small)
    file = io.BytesIO()
    image.save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    if display is Display.ITERM:
        return f"\x1b]1337;File=inline=1;width={COLUMNS};height={ROWS};preserveAspectRatio=1:{data}\x07"
    return "".join(_kitty(data))


def _kitty(data: str) -> Iterator[str]:
    for first in range(0, len(data), _CHUNK):
        more = int(first + _CHUNK < len(data))
        control = f"a=T,f=100,c={COLUMNS},r={ROWS},m={more}" if first == 0 else f"m={more}"
        yield f"\x1b_G{control};{data[first : first + _CHUNK]}\x1b\\"


def blocks(image: Image.Image) -> Text:
    """The image in half blocks, at most ROWS high and COLUMNS wide."""
    small = image.copy()
    small.thumbnail((COLUMNS, 2 * ROWS))
    lines = []
    for top in range(0, small.height, 2):
        line = Text()
        for left in range(small.width):
            bottom = top + 1 if top + 1 < small.height else top
            upper, lower = (_hex(small.getpixel((left, y))) for y in (top, bottom))
            line.append("▀", Style(color=upper, bgcolor=lower))
        lines.append(line)
    return Text("\n").join(lines)


def _hex(pixel: object) -> str:
    assert isinstance(pixel, tuple)  # noqa: S101 - of an RGB image
    return "#{:02x}{:02x}{:02x}".format(*pixel)
