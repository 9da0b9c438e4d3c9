"""`afterimage compact`: have the indexers write their shards anew, without dead rows, in one segment each."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer
from rich.filesize import decimal
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from services.cli.failures import Failure, Status
from services.cli.running import err, out, run
from services.cli.settings import CliSettings
from services.cli.shards import chosen_shards
from shared.replication.compaction_requests import CompactionRequests
from shared.replication.connection import connect
from shared.replication.directory import ReplicaDirectory, WriterReport

_LOOK_EVERY_S = 0.5


class Compacted(msgspec.Struct, frozen=True):
    """What the writer of a shard said of it before and after; after: None where it was not done in time."""

    shard: int
    before: WriterReport
    after: WriterReport | None


def compact(
    shard: Annotated[list[int] | None, typer.Option(help="Only this shard; repeat for more.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait. The indexers go on after that.")] = 3600.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Have the running indexers merge the segments of each shard into one, without dead rows, and wait for it.

    Searches and uploads go on meanwhile; it keeps a core of the indexer's host busy, for minutes where a shard is
    large. Ends with status 3 where it was not done in time.
    """

    async def ask(settings: CliSettings) -> Status:
        shards = (await chosen_shards(settings, shard)).numbers
        async with connect(settings.redis) as redis:
            found = await _compact_all(
                shards,
                ReplicaDirectory(redis, namespace=settings.namespace),
                CompactionRequests(redis, namespace=settings.namespace),
                deadline=time.monotonic() + timeout,
            )
        if as_json:
            out.print_json(msgspec.json.encode(found).decode())
        else:
            out.print(_table(found))
        return Status.OK if all(each.after for each in found) else Status.INCOMPLETE

    run(ask)


async def _compact_all(
    shards: Sequence[int], directory: ReplicaDirectory, requests: CompactionRequests, *, deadline: float
) -> list[Compacted]:
    """Raises Failure where a shard has no indexer or no store, before anything is asked."""
    before = {shard: _with_store(shard, await directory.writer(shard)) for shard in shards}
    columns = SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=err) as progress:

        async def wait(shard: int) -> Compacted:
            shown = progress.add_task(f"shard {shard}: asked for", total=1)
            after = None
            request = uuid.uuid4().hex
            while after is None and time.monotonic() < deadline:
                request = await requests.ask(shard, request)
                await asyncio.sleep(_LOOK_EVERY_S)
                said = await directory.writer(shard)
                stored = said.stored if said else None
                if stored and stored.compacted == request:
                    after = said
                elif stored and stored.problem:
                    progress.update(shown, description=f"shard {shard}: tried again after: {stored.problem}")
            progress.update(shown, completed=1, description=f"shard {shard}: {'compact' if after else 'not done'}")
            return Compacted(shard, before[shard], after)

        return list(await asyncio.gather(*map(wait, shards)))


def _with_store(shard: int, said: WriterReport | None) -> WriterReport:
    if said is None:
        raise Failure(f"no indexer has reported shard {shard} in the last minute: nobody can compact it")
    if said.stored is None:
        raise Failure(
            f"the indexer {said.writer} keeps shard {shard} in memory: without AFTERIMAGE_SEGMENT_STORE there are no "
            "segments to compact"
        )
    return said


def _table(found: Sequence[Compacted]) -> Table:
    table = Table("shard", "", "images", "dead rows", "segments", "mapped", "in the store", box=None, pad_edge=False)
    for each in found:
        for name, said in (("before", each.before), ("after", each.after)):
            if said is None:
                table.add_row("", f"[red]{name}: not in time[/red]")
                continue
            size = said.stored.bytes if said.stored else None
            table.add_row(
                str(each.shard) if said is each.before else "",
                name,
                str(said.rows),
                str(said.dead_rows),
                str(said.segments),
                decimal(said.mapped_bytes),
                "" if size is None else decimal(size),
            )
    return table
