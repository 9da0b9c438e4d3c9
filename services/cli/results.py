"""What a search found, for people."""

import json
import os
import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from services.cli.contact_sheet import Finding, Picture, write_contact_sheet
from services.cli.failures import Failure
from services.cli.running import out
from services.cli.thumbnails import Display, blocks, display_of, local_path, sequence, thumbnail
from shared.events.search_replies import Hit, SearchReply


def show(reply: SearchReply, *, thumbnails: bool = False) -> None:
    """Print the ranked hits, what is missing, and where the time went.

    thumbnails: of the hits that are files here, where the terminal can show them.
    """
    if reply.error:
        out.print(f"[red]{reply.error.code}: {escape(reply.error.message)}[/red]")
        return
    display = display_of(out, os.environ) if thumbnails else None
    if not reply.hits:
        out.print("nothing found")
    elif display in (Display.KITTY, Display.ITERM, Display.SIXEL):
        for rank, hit in enumerate(reply.hits, start=1):
            _show_with_image(rank, hit, display)
    else:
        out.print(_table(reply, with_blocks=display is Display.BLOCKS))
    if reply.missing:
        out.print(f"[yellow]without the shards {reply.missing}: their searchers did not answer[/yellow]")
    if reply.explanation:
        out.print(f"[dim]candidates in view: {reply.explanation.expansion}[/dim]")
        for segment in reply.explanation.segments:
            name = segment.segment or "growing"
            out.print(f"[dim]shard {segment.shard} {name}: {segment.way}, {segment.compared} of {segment.rows}[/dim]")
    spent = reply.timings
    out.print(
        f"[dim]{spent.total_ms:.1f} ms in {reply.searcher}: queue {spent.queue_ms:.1f}, fetch {spent.fetch_ms:.1f}, "
        f"decode {spent.decode_ms:.1f}, encode {spent.encode_ms:.1f}, search {spent.search_ms:.1f}[/dim]"
    )


def open_sheet(sheet: Path) -> None:
    """Show a contact sheet in the browser. Raises Failure where there is none."""
    if not webbrowser.open(sheet.resolve().as_uri()):
        raise Failure(f"no browser was found to open {sheet}: set BROWSER, or open it yourself")


def new_sheet() -> Path:
    """Where a contact sheet may be written that nobody has named; it stays, for the browser reads it later."""
    return Path(tempfile.mkdtemp(prefix="afterimage-")) / "found.html"


def write_sheet(target: Path, asked: Path | None, replies: Sequence[SearchReply]) -> None:
    """Write what was found as a page with the pictures that lie in files here. Raises Failure."""
    query = Picture(asked.name if asked else "query", asked, "query")
    findings = [
        Finding(
            query=query,
            hits=[Picture(hit.id, local_path(hit.uri), f"{hit.score:.4f}") for hit in reply.hits],
            note=reply.error.message if reply.error else f"{reply.timings.total_ms:.1f} ms",
        )
        for reply in replies
    ]
    try:
        write_contact_sheet(target, title="What was found", summary="", findings=findings)
    except OSError as error:
        raise Failure(f"the contact sheet cannot be written: {error}") from error
    out.print(f"contact sheet: {target.resolve().as_uri()}", soft_wrap=True)


def _table(reply: SearchReply, *, with_blocks: bool) -> Table:
    names = ["rank", "score", "id", "attributes"]
    table = Table(*(["", *names] if with_blocks else names), box=None, pad_edge=False)
    for rank, hit in enumerate(reply.hits, start=1):
        cells: list[str | Text] = [str(rank), f"{hit.score:.4f}", escape(hit.id), escape(_attributes(hit))]
        table.add_row(*([_blocks(hit), *cells] if with_blocks else cells))
    return table


def _blocks(hit: Hit) -> Text | str:
    path = local_path(hit.uri)
    image = thumbnail(path) if path else None
    return blocks(image) if image else ""


def _show_with_image(rank: int, hit: Hit, display: Display) -> None:
    path = local_path(hit.uri)
    image = thumbnail(path) if path else None
    if image is not None:
        out.file.write(sequence(image, display) + "\n")
        out.file.flush()
    out.print(f"{rank}  {hit.score:.4f}  {escape(hit.id)}  {escape(_attributes(hit))}", soft_wrap=True)


def _attributes(hit: Hit) -> str:
    return json.dumps(hit.attributes, ensure_ascii=False) if hit.attributes else ""
