"""`afterimage ingest`: upload images, and wait until they can be found."""

from typing import Annotated

import typer
from rich.markup import escape

from services.cli.failures import Failure, Status
from services.cli.ingestion import Ingested, percentile
from services.cli.ingestion import ingest as ingest_all
from services.cli.running import err, out, run
from services.cli.settings import CliSettings
from services.cli.sources import Source, collect
from shared.client import Sent
from shared.events.images import MAX_INLINE_BYTES

_SHOWN_REJECTS = 20


def ingest(
    places: Annotated[
        list[str], typer.Argument(metavar="PATH|GLOB|URI...", help="What to upload.", show_default=False)
    ],
    inline: Annotated[
        bool, typer.Option("--inline", help="Send the content itself (up to 256 KiB an image), not a reference to it.")
    ] = False,
    prefix: Annotated[str, typer.Option(help="Put before every id.")] = "",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for one image to become searchable.")] = 60.0,
) -> None:
    """Upload images, and wait until each can be found or was rejected with a reason.

    Images travel by reference, so the workers must be able to read them: `afterimage up --files FOLDER` says which
    folders they may read. With --inline the content travels in the event.
    """

    async def upload_all(settings: CliSettings) -> Status:
        sources = collect(places)
        async with settings.client() as client:

            async def upload(source: Source) -> Sent:
                if inline:
                    return await client.upload(prefix + source.id, data=_content(source))
                return await client.upload(prefix + source.id, uri=source.uri)

            result = await ingest_all(client, sources, upload, timeout_s=timeout, console=err)
        report(result)
        return Status.INCOMPLETE if result.rejected else Status.OK

    run(upload_all)


def _content(source: Source) -> bytes:
    if (data := source.inline()) is None:
        raise Failure(
            f"{source.uri} cannot travel inline: only local files of up to {MAX_INLINE_BYTES // 1024} KiB can",
            Status.MISUSED,
        )
    return data


def report(result: Ingested) -> None:
    """Say what became of the images, and how long it took."""
    p50, p95 = (percentile(result.searchable_s, share) for share in (0.5, 0.95))
    out.print(
        f"{result.indexed} indexed, {len(result.rejected)} rejected in {result.seconds:.1f} s "
        f"({result.rate:.0f} images/s); time to searchable p50 {p50:.2f} s, p95 {p95:.2f} s"
    )
    for reason, count in result.reasons():
        out.print(f"  {reason}: {count}")
    for image_id, failure in list(result.rejected.items())[:_SHOWN_REJECTS]:
        out.print(f"    {escape(image_id)}: {escape(failure.reject.detail)}")
