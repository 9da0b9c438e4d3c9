"""What a search found is told in full: the hits, what is missing, how it was done."""

import io
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from services.cli import results
from shared.events.search_replies import (
    Coverage,
    ErrorCode,
    Explanation,
    Hit,
    SearchFailure,
    SearchReply,
    SegmentSearch,
)

KITTY = {"KITTY_WINDOW_ID": "1"}


def shown(monkeypatch: pytest.MonkeyPatch, reply: SearchReply, *, environment: dict[str, str] | None = None) -> str:
    """What stands in the terminal, colours and all, where the environment says which one that is."""
    file = io.StringIO()
    console = (
        Console(file=file, force_terminal=False, color_system=None, width=120, highlight=False)
        if environment is None
        else Console(file=file, force_terminal=True, color_system="truecolor", width=120, highlight=False)
    )
    monkeypatch.setattr(results, "out", console)
    for name in ("KITTY_WINDOW_ID", "TERM_PROGRAM", "TMUX", "STY", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (environment or {}).items():
        monkeypatch.setenv(name, value)
    results.show(reply, thumbnails=True)
    return file.getvalue()


@pytest.fixture
def reply(tmp_path: Path) -> SearchReply:
    picture = tmp_path / "cat.png"
    Image.new("RGB", (64, 64), (10, 200, 30)).save(picture)
    hits = [Hit(id="cat", score=0.9, uri=picture.as_uri(), attributes={"kind": "[cat]"}), Hit(id="dog", score=0.5)]
    return SearchReply(hits=hits, searcher="searcher-0")


def test_hits_are_a_table_and_nothing_else_where_it_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, reply: SearchReply
) -> None:
    text = shown(monkeypatch, reply)
    assert "\x1b" not in text
    assert "▀" not in text
    assert '1     0.9000  cat  {"kind": "[cat]"}' in text


def test_a_terminal_with_colours_shows_half_blocks_of_the_hits_that_are_files_here(
    monkeypatch: pytest.MonkeyPatch, reply: SearchReply
) -> None:
    text = shown(monkeypatch, reply, environment={})
    assert "38;2;10;200;30" in text
    assert text.count("▀") == 12 * 6
    assert "dog" in text


def test_kitty_is_given_the_picture_itself(monkeypatch: pytest.MonkeyPatch, reply: SearchReply) -> None:
    text = shown(monkeypatch, reply, environment=KITTY)
    assert text.count("\x1b_Ga=T") == 1
    assert text.index("\x1b_Ga=T") < text.index("cat") < text.index("dog")


def test_what_is_missing_and_how_it_was_searched_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    segments = [SegmentSearch(shard=1, segment="", rows=9, way="scan", compared=9)]
    explained = SearchReply(
        coverage=Coverage(shards=[0, 1], of=4), explanation=Explanation(expansion=384, segments=segments)
    )
    text = shown(monkeypatch, explained)
    assert "without the shards [2, 3]" in text
    assert "candidates in view: 384" in text
    assert "shard 1 growing: scan, 9 of 9" in text
    assert "nothing found" in text


def test_an_error_in_a_batch_is_said_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = SearchReply(error=SearchFailure(code=ErrorCode.UNKNOWN_ID, message="no image '[x]' is indexed"))
    assert shown(monkeypatch, failed) == "unknown_id: no image '[x]' is indexed\n"
