"""What a terminal draws of the sixels is the picture."""

import re

import numpy as np
import pytest
from PIL import Image

from services.cli.sixels import sixels
from services.cli.thumbnails import Display, sequence


def drawn(text: str) -> Image.Image:
    """The picture, as the standard has a terminal draw it."""
    found = re.fullmatch('\x1bPq"1;1;(\\d+);(\\d+)(.*)\x1b\\\\', text, re.DOTALL)
    assert found
    width, height = int(found[1]), int(found[2])
    pixels = np.zeros((height + 5, width, 3), dtype=np.uint8)
    colours: dict[int, tuple[int, ...]] = {}
    colour, left, top = 0, 0, 0
    for chosen, defined, count, character in re.findall(r"#(\d+)((?:;\d+)*)|(?:!(\d+))?([?-~$-])", found[3]):
        if defined:
            colours[int(chosen)] = tuple(int(share) for share in defined.split(";")[2:])
        elif chosen:
            colour = int(chosen)
        elif character == "$":
            left = 0
        elif character == "-":
            left, top = 0, top + 6
        else:
            for _ in range(int(count or 1)):
                for row in range(6):
                    if (ord(character) - 63) >> row & 1:
                        pixels[top + row, left] = [round(share * 2.55) for share in colours[colour]]
                left += 1  # noqa: SIM113 - it begins anew
    assert not pixels[height:].any(), "nothing below the picture"
    return Image.fromarray(pixels[:height])


@pytest.mark.parametrize("size", [(1, 1), (7, 6), (40, 13), (120, 90)])
def test_every_pixel_is_drawn_in_its_colour(size: tuple[int, int]) -> None:
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.paste((200, 30, 60), (0, 0, size[0] // 2, size[1] // 2))
    asked, seen = np.asarray(image, dtype=int), np.asarray(drawn(sixels(image)), dtype=int)
    assert seen.shape == asked.shape
    assert np.abs(seen - asked).max() <= 12  # of 255: a palette, and colours in hundredths


def test_a_terminal_is_sent_a_picture_of_about_six_lines() -> None:
    text = sequence(Image.new("RGB", (160, 80), (1, 2, 3)), Display.SIXEL)
    assert drawn(text).size == (120, 60)
    assert len(text) < 500, "what repeats is counted"
