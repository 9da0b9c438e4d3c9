"""`afterimage demo`: the whole way on this machine, with real images."""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.markup import escape

from services.cli.commands.ingest import report
from services.cli.commands.up import stack
from services.cli.contact_sheet import Finding, Picture, write_contact_sheet
from services.cli.failures import Failure, Status
from services.cli.ingestion import Ingested, ingest, percentile
from services.cli.results import show
from services.cli.running import err, out, run
from services.cli.settings import CliSettings
from services.cli.sources import Source, collect
from services.cli.stack import Console, LineSink
from shared.client import AfterimageClient
from shared.events.search_replies import SearchReply

_TOP_K = 6
_STACK_LINES = "stack"
_EQUAL = 1e-6
"""Scores this close are equal: two copies of one picture both come first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A query image and its reply. seconds: the round trip, as this process saw it."""

    source: Source
    reply: SearchReply
    seconds: float

    @property
    def found_itself_first(self) -> bool:
        hits = self.reply.hits
        return any(hit.id == self.source.id and hit.score >= hits[0].score - _EQUAL for hit in hits)


def demo(
    images: Annotated[Path, typer.Option(help="The folder of pictures.")] = Path("tests/data/photos"),
    queries: Annotated[int, typer.Option(min=1, help="How many of the pictures to search by.")] = 8,
    sheet: Annotated[Path, typer.Option(help="Where to write the contact sheet.")] = Path("contact-sheet.html"),
    log: Annotated[Path, typer.Option(help="Where the workers' logs go.")] = Path(".afterimage/demo.log"),
    exit_: Annotated[
        bool, typer.Option("--exit", help="End when done: with 0 only if all images went in and were found.")
    ] = False,
) -> None:
    """Index a folder of pictures through Kafka, search it by image, and write a contact sheet.

    Starts what `afterimage up` starts, and stays up for more queries until Ctrl-C.
    """

    async def show_it(settings: CliSettings) -> Status:
        if not images.is_dir():
            raise Failure(f"{images} is not a folder", Status.MISUSED)
        sources = collect([str(images)])
        out.print(f"starting a broker, a Redis and the workers (their logs: {log})")
        log.parent.mkdir(parents=True, exist_ok=True)
        async with AsyncExitStack() as block:
            sink = _sink(block.enter_context(log.open("w", encoding="utf-8")))
            running = await block.enter_async_context(stack(settings, folders=[images], sink=sink))
            async with settings.of(running).client() as client:
                result = await _index(client, sources)
                indexed = [source for source in sources if source.id not in result.rejected]
                answers = await _search(client, _spread(indexed, queries))
            passed = _judge(sources, result, answers)
            _write_sheet(sheet, sources, result, answers)
            if not exit_:
                _invite(running.bootstrap_servers, running.worker_urls.get("gateway"))
                await asyncio.Event().wait()
        return Status.OK if passed else Status.INCOMPLETE

    run(show_it)


def _sink(log: TextIO) -> LineSink:
    """What the stack itself says goes to the terminal, what the processes say to the log."""
    console = Console(sys.stderr)

    def take(name: str, line: str) -> None:
        if name == _STACK_LINES:
            console.line(name, line)
        log.write(f"{name:<9} | {line}\n")
        log.flush()

    return take


async def _index(client: AfterimageClient, sources: Sequence[Source]) -> Ingested:
    result = await ingest(
        client, sources, lambda source: client.upload(source.id, uri=source.uri), timeout_s=120, console=err
    )
    report(result)
    return result


async def _search(client: AfterimageClient, sources: Sequence[Source]) -> list[Answer]:
    """Search by each picture, one after another, and show what comes back."""
    answers = []
    for source in sources:
        began = time.perf_counter()
        data = source.inline()
        reply = await client.search(image=data, uri=None if data else source.uri, top_k=_TOP_K, timeout_s=30)
        answer = Answer(source, reply, time.perf_counter() - began)
        answers.append(answer)
        out.print(f"\n[bold]{escape(source.id)}[/bold]  round trip {1000 * answer.seconds:.1f} ms")
        if reply.error:
            out.print(f"  [red]{reply.error.code}: {escape(reply.error.message)}[/red]")
        else:
            show(reply)
    trips = [answer.seconds for answer in answers]
    out.print(
        f"\n{len(answers)} queries by image: round trip p50 {1000 * percentile(trips, 0.5):.1f} ms, "
        f"p95 {1000 * percentile(trips, 0.95):.1f} ms"
    )
    return answers


def _judge(sources: Sequence[Source], result: Ingested, answers: Sequence[Answer]) -> bool:
    """Whether every image was indexed or rejected with a reason, and every query found itself first."""
    lost = [answer.source.id for answer in answers if not answer.found_itself_first]
    for image_id in lost:
        out.print(f"[red]{escape(image_id)} did not find itself first[/red]")
    accounted = result.indexed + len(result.rejected) == len(sources)
    passed = accounted and not lost and result.indexed > 0
    out.print("[green]every query found itself first[/green]" if passed else "[red]the demo failed[/red]")
    return passed


def _spread(sources: Sequence[Source], count: int) -> list[Source]:
    """At most `count` of the sources, evenly from first to last, so that all folders are seen."""
    step = max(1, len(sources) / count)
    return [sources[int(number * step)] for number in range(min(count, len(sources)))]


def _write_sheet(target: Path, sources: Sequence[Source], result: Ingested, answers: Sequence[Answer]) -> None:
    paths = {source.id: source.path for source in sources}
    findings = [
        Finding(
            query=Picture(answer.source.id, answer.source.path, "query"),
            hits=[Picture(hit.id, paths.get(hit.id), f"{hit.score:.4f}") for hit in answer.reply.hits],
            note=f"round trip {1000 * answer.seconds:.1f} ms",
        )
        for answer in answers
    ]
    summary = (
        f"{result.indexed} images indexed, {len(result.rejected)} rejected; time to searchable p50 "
        f"{percentile(result.searchable_s, 0.5):.2f} s, p95 {percentile(result.searchable_s, 0.95):.2f} s"
    )
    write_contact_sheet(target, title="Queries and what they found", summary=summary, findings=findings)
    out.print(f"contact sheet: {target.resolve().as_uri()}")


def _invite(bootstrap_servers: str, gateway: str | None) -> None:
    out.print(
        f"\nIt stays up. In another terminal: KAFKA_BOOTSTRAP_SERVERS={bootstrap_servers} afterimage search IMAGE"
    )
    if gateway:
        out.print(f"In a browser: {gateway}")
    out.print("Ctrl-C ends it.")
