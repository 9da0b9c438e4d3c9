"""`afterimage keys`: the API keys of the gateway."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from services.cli.failures import Failure, Status
from services.cli.running import err, out, run_locally
from shared.access.key_file import BadKeyFile, read_keys, write_keys
from shared.access.keys import ApiKey, Scope, digest_of, new_secret

keys = typer.Typer(help="Make, list and remove the gateway's API keys.", no_args_is_help=True)

File = Annotated[
    Path, typer.Option(envvar="GATEWAY_KEYS", help="The file of keys. Gateways read it again when it changes.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Who has the key: a person or a program.")]
_FILE = Path("gateway-keys.json")


@keys.command()
def add(
    name: Name,
    scope: Annotated[list[Scope] | None, typer.Option(help="What it is good for, as often as needed.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Whose images alone it reaches. Default: all.")] = None,
    file: File = _FILE,
) -> None:
    """Make a key, and print it: this once, for only its digest is kept. Without --scope it can read."""

    async def make() -> Status:
        known = _known(file) if file.exists() else []
        if any(key.name == name for key in known):
            raise Failure(f"{file} has a key of the name {name!r} already: remove that first", Status.MISUSED)
        secret = new_secret()
        try:
            key = ApiKey(
                name=name,
                digest=digest_of(secret),
                scopes=frozenset(scope or [Scope.READ]),
                tenant=tenant,
                created_at=datetime.now(UTC),
            )
        except ValueError as error:
            raise Failure(str(error), Status.MISUSED) from None
        _write(file, [*known, key])
        err.print(f"added to {file}; keep the key, it cannot be shown again", soft_wrap=True, markup=False)
        out.print(secret, soft_wrap=True, markup=False)
        return Status.OK

    run_locally(make)


@keys.command("list")
def list_(
    file: File = _FILE, as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False
) -> None:
    """List the keys: who has them, and what they are good for."""

    async def show() -> Status:
        known = _known(file)
        if as_json:
            out.print_json(json.dumps([_row(key) for key in known]))
            return Status.OK
        table = Table("name", "scopes", "tenant", "made")
        for key in known:
            row = _row(key)
            table.add_row(key.name, ", ".join(sorted(key.scopes)), key.tenant or "all", str(row["created_at"]))
        out.print(table)
        return Status.OK

    run_locally(show)


@keys.command()
def remove(name: Name, file: File = _FILE) -> None:
    """Remove a key. A gateway that reads the file takes it no more a second later."""

    async def drop() -> Status:
        known = _known(file)
        left = [key for key in known if key.name != name]
        if len(left) == len(known):
            raise Failure(f"{file} has no key of the name {name!r}", Status.MISUSED)
        _write(file, left)
        return Status.OK

    run_locally(drop)


def _known(file: Path) -> list[ApiKey]:
    try:
        return read_keys(file)
    except BadKeyFile as error:
        raise Failure(str(error)) from None


def _write(file: Path, known: list[ApiKey]) -> None:
    try:
        write_keys(file, known)
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error.strerror}") from None


def _row(key: ApiKey) -> dict[str, object]:
    return {
        "name": key.name,
        "scopes": sorted(key.scopes),
        "tenant": key.tenant,
        "created_at": key.created_at.isoformat(timespec="seconds"),
    }
