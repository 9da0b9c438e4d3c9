"""A terminal is shown pictures in the way that it knows, and is not troubled with others."""

import base64
import io
import re
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from services.cli.thumbnails import (
    COLUMNS,
    ROWS,
    Display,
    blocks,
    display_of,
    local_path,
    sequence,
    thumbnail,
)


def console(*, colours: str | None = "truecolor", terminal: bool = True) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, color_system=colours, width=80)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("environment", "display"),
    [
        ({"KITTY_WINDOW_ID": "1"}, Display.KITTY),
        ({"TERM": "xterm-kitty"}, Display.KITTY),
        ({"TERM_PROGRAM": "ghostty"}, Display.KITTY),
        ({"TERM_PROGRAM": "iTerm.app"}, Display.ITERM),
        ({"TERM_PROGRAM": "WezTerm"}, Display.ITERM),
        ({"TERM_PROGRAM": "iTerm.app", "TMUX": "socket,1,0"}, Display.BLOCKS),
        ({"KITTY_WINDOW_ID": "1", "STY": "screen"}, Display.BLOCKS),
        ({"TERM": "foot"}, Display.SIXEL),
        ({"TERM": "foot-extra"}, Display.SIXEL),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "mintty"}, Display.SIXEL),
        ({"TERM": "xterm-256color", "KONSOLE_VERSION": "220401"}, Display.SIXEL),
        ({"TERM": "xterm-256color", "KONSOLE_VERSION": "211203"}, Display.BLOCKS),
        ({"TERM": "foot", "TMUX": "socket,1,0"}, Display.BLOCKS),
        ({"TERM": "xterm-256color"}, Display.BLOCKS),
    ],
)
def test_the_way_follows_from_the_environment(environment: dict[str, str], display: Display) -> None:
    assert display_of(console(), environment) is display


def test_what_is_no_terminal_or_has_few_colours_shows_none() -> None:
    assert display_of(console(terminal=False), {"KITTY_WINDOW_ID": "1"}) is None
    assert display_of(console(colours=None), {}) is None
    assert display_of(console(colours="standard"), {}) is None


def two_halves() -> Image.Image:
    """Red above, blue below."""
    image = Image.new("RGB", (40, 40), (255, 0, 0))
    image.paste((0, 0, 255), (0, 20, 40, 40))
    return image


def test_half_blocks_have_the_colours_of_the_picture_and_keep_to_their_size() -> None:
    text = blocks(two_halves())
    lines = text.plain.split("\n")
    assert (len(lines), {len(line) for line in lines}) == (ROWS, {COLUMNS})
    first, last = text.get_style_at_offset(Console(), 0), text.get_style_at_offset(Console(), len(text.plain) - 1)
    assert (first.color and first.color.name, first.bgcolor and first.bgcolor.name) == ("#ff0000", "#ff0000")
    assert (last.color and last.color.name, last.bgcolor and last.bgcolor.name) == ("#0000ff", "#0000ff")


def test_a_wide_picture_takes_fewer_rows() -> None:
    assert len(blocks(Image.new("RGB", (400, 100))).plain.split("\n")) < ROWS


def test_iterm_gets_the_whole_picture_in_one_sequence() -> None:
    found = re.fullmatch("\x1b]1337;File=inline=1;[^:]*:([^\x07]+)\x07", sequence(two_halves(), Display.ITERM))
    assert found
    assert Image.open(io.BytesIO(base64.b64decode(found[1]))).tobytes() == two_halves().tobytes()


def test_kitty_gets_it_in_pieces_of_which_the_last_says_so() -> None:
    noise = Image.effect_noise((160, 160), 100).convert("RGB")
    parts = re.findall("\x1b_G([^;]*);([^\x1b]*)\x1b\\\\", sequence(noise, Display.KITTY))
    assert len(parts) > 2
    assert [control.rpartition("m=")[2] for control, _ in parts] == ["1"] * (len(parts) - 1) + ["0"]
    assert f"c={COLUMNS},r={ROWS}" in parts[0][0]
    assert max(len(data) for _, data in parts) <= 4096
    data = base64.b64decode("".join(data for _, data in parts))
    assert Image.open(io.BytesIO(data)).tobytes() == noise.tobytes()


def test_a_thumbnail_is_small_and_there_is_none_of_what_is_no_picture(tmp_path: Path) -> None:
    large, text = tmp_path / "large image.png", tmp_path / "text.png"
    Image.new("RGBA", (900, 300)).save(large)
    text.write_text("no picture")
    small = thumbnail(large)
    assert small
    assert (small.size, small.mode) == ((160, 53), "RGB")
    assert thumbnail(text) is None
    assert local_path(large.as_uri()) == large
    for elsewhere in (None, "", "https://example.org/a.png", (tmp_path / "gone.png").as_uri()):
        assert local_path(elsewhere) is None
