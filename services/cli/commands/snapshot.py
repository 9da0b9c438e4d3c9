"""`afterimage snapshot`: copy what is sealed of every shard to another place."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.filesize import decimal
from rich.table import Table

from services.cli.failures import Status
from services.cli.progress import Bytes, copying
from services.cli.running import err, out, run
from services.cli.settings import CliSettings
from services.cli.shards import chosen_shards

if TYPE_CHECKING:
    from services.cli.snapshots import Snapshot


def snapshot(
    to: Annotated[str, typer.Argument(help="A folder, or s3://bucket/prefix.", show_default=False)],
    shard: Annotated[list[int] | None, typer.Option(help="Only this shard; repeat for more.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Copy the newest manifest of each shard, and all segments that it names, from AFTERIMAGE_SEGMENT_STORE.

    Every byte is compared with its SHA-256. Nothing needs to be stopped. What is there already is not copied again, so
    the same place can be used every day. A snapshot is good for six days, since Kafka remembers deletes for seven.
    Ends with status 3 where a shard has nothing sealed.
    """

    async def copy(settings: CliSettings) -> Status:
        from services.cli.snapshots import take_snapshot  # noqa: PLC0415 - brings the index's library
        from services.cli.stores import snapshot_store, store_of_segments  # noqa: PLC0415

        source, target = store_of_segments(settings), snapshot_store(to, settings)
        shards = await chosen_shards(settings, shard)
        with copying(err) as progress:
            found = [
                await asyncio.to_thread(
                    take_snapshot,
                    source,
                    target,
                    number,
                    incarnation=shards.incarnation,
                    bar=Bytes(progress, f"shard {number}"),
                )
                for number in shards.numbers
            ]
        if as_json:
            out.print_json(msgspec.json.encode(found).decode())
        else:
            out.print(_table(found, shards.ends))
        return Status.OK if all(each.position is not None for each in found) else Status.INCOMPLETE

    run(copy)


def _table(found: "Sequence[Snapshot]", ends: Mapping[int, int]) -> Table:
    columns = ("shard", "position", "Kafka has beyond", "sealed", "images", "segments", "bytes", "copied now")
    table = Table(*columns, box=None, pad_edge=False)
    for each in found:
        if each.position is None:
            table.add_row(str(each.shard), "[red]nothing is sealed[/red]")
            continue
        table.add_row(
            str(each.shard),
            str(each.position),
            str(ends[each.shard] - 1 - each.position),
            f"{max(0.0, time.time() - each.sealed_at / 1000) / 3600:.1f} h ago",
            str(each.images),
            str(each.segments),
            decimal(each.bytes),
            decimal(each.copied),
        )
    return table
