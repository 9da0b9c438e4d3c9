"""`afterimage models`: which encoders can be used, and how."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from services.cli.failures import Failure, Status
from services.cli.model_entries import ModelEntry
from services.cli.progress import counting
from services.cli.running import err, out, run_locally


def models(
    places: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FOLDER|FILE...", help="Where weights files are.", show_default=False),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="List the architectures with such names, as 'resnet50', 'convnext*' or, for the trainings that were "
            "published, 'resnet50.*'. With places: try these on files whose names do not tell what they are for.",
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="The same, for all architectures. Takes a minute or two.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """List the encoders that can be used: the installed ones, and the weights files at the places given.

    With --search or --all: the architectures of timm, torchvision and open_clip that a weights file may be for. Nothing
    is downloaded, and no weights are loaded.
    """

    async def show() -> Status:
        for place in places or ():
            if not place.exists():
                raise Failure(f"there is nothing at {str(place)!r}", Status.MISUSED)
        # Read once by OpenMP when torch is imported, see services/extractor/__main__.py.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from services.cli import models as found  # noqa: PLC0415 - brings torch, which takes seconds

        pattern = "*" if every else search
        with counting(err) as progress:
            if places or pattern is None:
                entries = [
                    *found.installed(),
                    *await found.weights_in(places or (), pattern=pattern, progress=progress),
                ]
            else:
                entries = await found.architectures(pattern, progress=progress)
        if as_json:
            out.print_json(msgspec.json.encode([_document(entry) for entry in entries]).decode())
        else:
            _print(entries)
            if not places and pattern is None:
                out.print(f"\n{found.with_a_file()}", soft_wrap=True, markup=False)
            out.print(f"\n{found.software()}", soft_wrap=True)
        return Status.OK if any(not entry.problem for entry in entries) else Status.INCOMPLETE

    run_locally(show)


def _document(entry: ModelEntry) -> dict[str, object]:
    return {**msgspec.to_builtins(entry), "usable": entry.problem is None, "settings": entry.settings}


def _print(entries: Sequence[ModelEntry]) -> None:
    if not entries:
        out.print("no architecture has such a name")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("encoder", overflow="fold")
    for number in ("dimension", "input", "parameters"):
        table.add_column(number, justify="right", no_wrap=True)
    table.add_column("weights" if any(entry.weights for entry in entries) else "", overflow="fold")
    for entry in entries:
        table.add_row(
            escape(entry.encoder or "unknown"),
            "" if entry.dim is None else str(entry.dim),
            "" if entry.input_size is None else f"{entry.input_size} x {entry.input_size}",
            "" if entry.parameters is None else f"{entry.parameters / 1e6:.1f} M",
            _note(entry),
        )
    out.print(table)
    out.print(
        "\nSettings, which extractors and searchers must have alike (a new encoder means a new index):", soft_wrap=True
    )
    with_weights = [entry for entry in entries if entry.sha256]
    for line in [entry.shell for entry in with_weights] or [ModelEntry().shell]:
        out.print(line, soft_wrap=True, markup=False)


def _note(entry: ModelEntry) -> str:
    where = escape("installed" if entry.installed else entry.weights or "")
    if not entry.problem:
        return where
    problem = f"[red]{escape(entry.problem)}[/red]"
    return problem if where in problem else f"{where}: {problem}"
