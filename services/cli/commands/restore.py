"""`afterimage restore`: put a snapshot in place of what the store of segments has lost."""

from collections.abc import Sequence
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
    from services.cli.restoration import Restored


def restore(
    source: Annotated[str, typer.Argument(metavar="FROM", help="A folder, or s3://bucket/prefix.", show_default=False)],
    shard: Annotated[list[int] | None, typer.Option(help="Only this shard; repeat for more.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Put a snapshot in AFTERIMAGE_SEGMENT_STORE, where shards are lost or damaged there. Stop the indexers before.

    All of it is verified first. Refused is what is of another cluster, topic or scheme, too old, before a gap in what
    Kafka still has, or not newer than what is whole in the store. When the indexers start again they begin with it, and
    read from Kafka what came since. Ends with status 3 where a shard was refused.
    """

    async def put_back(settings: CliSettings) -> Status:
        from services.cli.restoration import restore_shard, see_that_nobody_writes  # noqa: PLC0415 - brings the index

        shards = await chosen_shards(settings, shard)
        await see_that_nobody_writes(settings, shards)
        with copying(err) as progress:
            restored = [
                await restore_shard(settings, shards, number, source, Bytes(progress, f"shard {number}"))
                for number in shards.numbers
            ]
        if as_json:
            out.print_json(msgspec.json.encode(restored).decode())
        else:
            out.print(_table(restored))
            for each in restored:
                if each.refused:
                    out.print(f"[red]shard {each.shard} was left as it is:[/red]", end=" ")
                    out.print(each.refused, soft_wrap=True, markup=False)
        return Status.INCOMPLETE if any(each.refused for each in restored) else Status.OK

    run(put_back)


def _table(restored: "Sequence[Restored]") -> Table:
    table = Table("shard", "position", "images", "bytes", "to be read from Kafka", box=None, pad_edge=False)
    for each in restored:
        if each.position is None:
            table.add_row(str(each.shard), "[red]refused[/red]")
            continue
        table.add_row(
            str(each.shard), str(each.position), str(each.images), decimal(each.bytes), f"{each.replayed} offsets"
        )
    return table
