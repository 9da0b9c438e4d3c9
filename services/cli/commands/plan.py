"""`afterimage plan`: what an installation of a size takes."""

from typing import Annotated

import msgspec
import typer
from rich.filesize import decimal
from rich.table import Table

from services.cli.failures import Failure, Status
from services.cli.planning import Line, Load
from services.cli.planning import plan as planned
from services.cli.running import out, run_locally


def plan(
    images: Annotated[float, typer.Option(help="Images that are searchable, as 1e9.")],
    rate: Annotated[float, typer.Option(help="Uploads a second, at the busiest.")],
    queries: Annotated[float, typer.Option(help="Queries a second, at the busiest.")] = 100,
    by_image: Annotated[float, typer.Option(help="The share of queries that bring an image.")] = 0.5,
    code_bytes: Annotated[int, typer.Option(help="Bytes of a code: 1280 for i8 of the default encoder.")] = 1280,
    copies: Annotated[int, typer.Option(help="Copies of each shard, in searchers.")] = 2,
    gpu_rate: Annotated[
        float | None, typer.Option(help="Images a second of one GPU, where those extract: measure it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Print what an installation takes: partitions, cores, memory, disks, Redis and Kafka.

    It is arithmetic from what was measured on one machine, and as good as that is: docs/scaling.md.
    """

    async def show() -> Status:
        load = Load(
            images=images,
            uploads_per_s=rate,
            queries_per_s=queries,
            by_image=by_image,
            code_bytes=code_bytes,
            copies=copies,
            gpu_images_per_s=gpu_rate,
        )
        try:
            lines = planned(load)
        except ValueError as error:
            raise Failure(str(error), Status.MISUSED) from error
        if as_json:
            out.print_json(msgspec.json.encode(lines).decode())
            return Status.OK
        table = Table("what", "how much", "because", box=None, pad_edge=False)
        for line in lines:
            table.add_row(line.name, amount_of(line), line.why)
        out.print(table)
        return Status.OK

    run_locally(show)


def amount_of(line: Line) -> str:
    """Say how much that is."""
    match line.unit:
        case "bytes":
            return decimal(int(line.amount))
        case "days" if line.amount < 1:
            return f"{24 * line.amount:.1f} hours"
        case "days":
            return f"{line.amount:,.1f} days"
        case _:
            return f"{line.amount:,.0f} {line.unit}".rstrip()
