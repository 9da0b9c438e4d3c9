"""`afterimage`: the command line."""

from importlib.metadata import version
from typing import Annotated

import typer

from services.cli.commands.compact import compact
from services.cli.commands.delete import delete
from services.cli.commands.demo import demo
from services.cli.commands.embed import embed
from services.cli.commands.evaluate import evaluate
from services.cli.commands.fit_code import fit_code
from services.cli.commands.ingest import ingest
from services.cli.commands.keys import keys
from services.cli.commands.models import models
from services.cli.commands.plan import plan
from services.cli.commands.quantize import quantize
from services.cli.commands.redrive import redrive
from services.cli.commands.restore import restore
from services.cli.commands.search import search
from services.cli.commands.snapshot import snapshot
from services.cli.commands.status import status
from services.cli.commands.topics import topics
from services.cli.commands.train import train
from services.cli.commands.up import up
from services.cli.commands.verify import verify

app = typer.Typer(
    name="afterimage",
    help="Streaming image indexing and similarity search over Kafka and Redis.",
    epilog="KAFKA_BOOTSTRAP_SERVERS (localhost:9092), REDIS_URL (redis://localhost:6379/0) and AFTERIMAGE_NAMESPACE "
    "say where the service is. Exit status: 0 done, 1 failed, 2 misused, 3 done but not for all.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("afterimage"))
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


for command in (
    up,
    demo,
    ingest,
    search,
    delete,
    status,
    verify,
    redrive,
    compact,
    snapshot,
    restore,
    topics,
    models,
    embed,
    quantize,
    fit_code,
    train,
    evaluate,
    plan,
):
    app.command()(command)
app.add_typer(keys, name="keys")


def main() -> None:
    app()


if __name__ == "__main__":
    main()
