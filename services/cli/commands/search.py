"""`afterimage search`: find what looks like an image."""

import json
import re
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from services.cli.failures import Failure, Status
from services.cli.running import out, run
from services.cli.settings import CliSettings
from services.cli.sources import local
from shared.events.search_replies import SearchReply
from shared.events.search_requests import MAX_TOP_K


def search(
    image: Annotated[str | None, typer.Argument(metavar="IMAGE", help="A file or a URI.", show_default=False)] = None,
    id: Annotated[str | None, typer.Option(help="Search by an image that is indexed.")] = None,  # noqa: A002 - the option's name
    vector: Annotated[
        str | None, typer.Option(help="Search by a vector: numbers separated by commas or spaces, or @FILE of them.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Search by words, where the encoder is a CLIP model.")] = None,
    top_k: Annotated[int, typer.Option("--top-k", "-k", min=1, max=MAX_TOP_K, help="Hits wanted.")] = 10,
    min_score: Annotated[float | None, typer.Option(help="Only hits at or above this similarity, -1 to 1.")] = None,
    filter: Annotated[  # noqa: A002 - the option's name
        str | None, typer.Option(help="""A condition on the attributes as JSON, such as '{"kind": "animal"}'.""")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="An id that no hit has; as often as you like.")] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Compare with every image: slower, and misses none.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the reply.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the reply as JSON.")] = False,
) -> None:
    """Find the images that look most like one, given as a file, a URI, an indexed id or a vector, or like a text."""
    if sum(given is not None for given in (image, id, vector, text)) != 1:
        raise typer.BadParameter("give one of IMAGE, --id, --vector and --text")

    async def ask(settings: CliSettings) -> Status:
        async with settings.client() as client:
            data, uri = _query_image(image)
            reply = await client.search(
                image=data,
                uri=uri,
                id=id,
                vector=None if vector is None else read_vector(vector),
                text=text,
                top_k=top_k,
                min_score=min_score,
                filter=None if filter is None else read_filter(filter),
                exclude=exclude or (),
                exact=exact,
                timeout_s=timeout,
            )
        if as_json:
            out.print_json(msgspec.json.encode(reply).decode())
        if reply.error:
            raise Failure(f"{reply.error.code}: {reply.error.message}")
        if not as_json:
            show(reply)
        return Status.OK if reply.hits else Status.INCOMPLETE

    run(ask)


def show(reply: SearchReply) -> None:
    """Print the ranked hits, and where the time went."""
    if not reply.hits:
        out.print("nothing found")
    table = Table("rank", "score", "id", "attributes", box=None, pad_edge=False)
    for rank, hit in enumerate(reply.hits, start=1):
        attributes = json.dumps(hit.attributes, ensure_ascii=False) if hit.attributes else ""
        table.add_row(str(rank), f"{hit.score:.4f}", escape(hit.id), escape(attributes))
    if reply.hits:
        out.print(table)
    spent = reply.timings
    out.print(
        f"[dim]{spent.total_ms:.1f} ms in {reply.searcher}: queue {spent.queue_ms:.1f}, fetch {spent.fetch_ms:.1f}, "
        f"decode {spent.decode_ms:.1f}, encode {spent.encode_ms:.1f}, search {spent.search_ms:.1f}[/dim]"
    )


def read_vector(text: str) -> list[float]:
    """Numbers from the command line, or from the file that it names with @. Raises Failure."""
    try:
        source = Path(text[1:]).read_text() if text.startswith("@") else text
        return [float(number) for number in re.split(r"[\s,\[\]]+", source) if number]
    except (OSError, ValueError) as error:
        raise Failure(f"the vector cannot be read: {error}", Status.MISUSED) from error


def read_filter(text: str) -> dict[str, object]:
    """Raises Failure where the text is no JSON object; what it means, the searcher knows."""
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise Failure(f"the filter cannot be read as JSON: {error}", Status.MISUSED) from error


def _query_image(place: str | None) -> tuple[bytes | None, str | None]:
    """The image as content where it is small, else as a reference that the searcher must be able to read."""
    if place is None or "://" in place:
        return None, place
    path = Path(place).expanduser()
    if not path.is_file():
        raise Failure(f"there is no file {place}", Status.MISUSED)
    source = local(path, path.name)
    data = source.inline()
    return (data, None) if data is not None else (None, source.uri)
