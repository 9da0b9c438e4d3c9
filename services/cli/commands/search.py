"""`afterimage search`: find what looks like an image."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from services.cli.asking import Asked, read_batch, read_filter
from services.cli.failures import Failure, Status
from services.cli.results import new_sheet, open_sheet, show, write_sheet
from services.cli.running import out, run
from services.cli.settings import CliSettings
from shared.events.search_requests import MAX_RANK, MAX_TOP_K, SearchRequest


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
    like: Annotated[
        list[str] | None,
        typer.Option(
            help="A further example: a file, a URI or id:ID, with a weight as in 2*cat.jpg; as often as you like."
        ),
    ] = None,
    unlike: Annotated[list[str] | None, typer.Option(help="The same, for what hits should not look like.")] = None,
    region: Annotated[
        str | None, typer.Option(help="The part of IMAGE that counts: left,top,right,bottom, in shares of its sides.")
    ] = None,
    offset: Annotated[int, typer.Option(min=0, max=MAX_RANK, help="How many of the best hits are left out.")] = 0,
    attribute: Annotated[
        list[str] | None, typer.Option(help="An attribute that hits bring, where not all of them are wanted.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say what was searched, and how.")] = False,
    batch: Annotated[
        str | None, typer.Option(metavar="FILE", help="Answer the requests in a file of JSON; - is the standard input.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the reply.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the reply as JSON.")] = False,
    thumbnails: Annotated[bool, typer.Option(help="Show hits that are files here, where the terminal can.")] = True,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the hits with their pictures to an HTML file.")
    ] = None,
    open_: Annotated[
        bool,
        typer.Option("--open", help="Show the hits with their pictures in the browser; --sheet says in which file."),
    ] = False,
) -> None:
    """Find the images that look most like one, given as a file, a URI, an indexed id or a vector, or like a text."""
    asked = Asked(image=image, id=id, vector=vector, text=text, region=region, like=like or (), unlike=unlike or ())
    if (batch is not None) == (asked != Asked()) or (batch is None and asked.problem()):
        raise typer.BadParameter(asked.problem() or "--batch goes alone")

    async def ask(settings: CliSettings) -> Status:
        options = SearchRequest(
            top_k=top_k,
            offset=offset,
            min_score=min_score,
            filter=read_filter(filter),
            exclude=frozenset(exclude or ()),
            exact=exact,
            attributes=None if attribute is None else frozenset(attribute),
            explain=explain,
        )
        request = asked.request(options) if batch is None else SearchRequest(batch=read_batch(batch))
        async with settings.client() as client:
            reply = await client.ask(request, timeout_s=timeout)
        if as_json:
            out.print_json(msgspec.json.encode(reply).decode())
        if reply.error:
            raise Failure(f"{reply.error.code}: {reply.error.message}")
        replies = reply.batch or [reply]
        if not as_json:
            for each in replies:
                show(each, thumbnails=thumbnails)
        if sheet or open_:
            written = sheet or new_sheet()
            write_sheet(written, Path(image) if image else None, replies)
            if open_:
                open_sheet(written)
        return Status.OK if all(each.hits for each in replies) else Status.INCOMPLETE

    run(ask)
