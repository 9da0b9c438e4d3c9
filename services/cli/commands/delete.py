"""`afterimage delete`: have images forgotten."""

from typing import Annotated

import typer

from services.cli.failures import Status
from services.cli.running import out, run
from services.cli.settings import CliSettings


def delete(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of indexed images.", show_default=False)],
    timeout: Annotated[float, typer.Option(help="Seconds to wait for one delete to take effect.")] = 30.0,
) -> None:
    """Delete images by id, and wait until none of them can be found any more."""

    async def forget(settings: CliSettings) -> Status:
        async with settings.client() as client:
            for sent in [await client.delete(image_id) for image_id in ids]:
                done = await client.wait_searchable(sent, timeout_s=timeout)
                out.print(
                    f"{sent.id}: {done.receipt.effect} at shard {done.receipt.shard}, position "
                    f"{done.receipt.position}, after {done.after_s:.3f} s",
                    markup=False,
                )
        return Status.OK

    run(forget)
