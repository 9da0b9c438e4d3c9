"""`afterimage verify`: hold every copy of every shard against Kafka."""

from typing import Annotated

import msgspec
import typer
from rich.table import Table

from services.cli.failures import Failure, Status
from services.cli.running import out, run
from services.cli.settings import CliSettings


def verify(as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """Compare all copies of all shards with what Kafka comes to at their positions, and name those that differ.

    Every feature record is read once. Ends with status 3 where a copy differs, or cannot be compared.
    """

    async def compare(settings: CliSettings) -> Status:
        from services.cli.verification import verify_all  # noqa: PLC0415 - brings the index's library
        from shared.replication.verification import Verdict  # noqa: PLC0415

        verified = [each async for shard in verify_all(settings) for each in shard]
        if not verified:
            raise Failure("no searcher has reported a copy in the last minute: there is nothing to compare")
        if as_json:
            out.print_json(msgspec.json.encode(verified).decode())
        else:
            table = Table("shard", "copy", "position", "images", "checksum", "verdict", box=None, pad_edge=False)
            for each in verified:
                copy, right = each.copy, each.verdict is Verdict.SAME
                should = (
                    ""
                    if right or not each.expected
                    else f": {each.expected.rows} images, {each.expected.checksum[:12]}"
                )
                table.add_row(
                    str(each.shard),
                    copy.replica,
                    str(copy.position),
                    str(copy.rows),
                    copy.checksum[:12],
                    str(each.verdict) if right else f"[red]{each.verdict}{should}[/red]",
                )
            out.print(table)
        return Status.OK if all(each.verdict is Verdict.SAME for each in verified) else Status.INCOMPLETE

    run(compare)
