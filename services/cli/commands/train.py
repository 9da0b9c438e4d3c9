"""`afterimage train`: an encoder that has learned from one's own pictures."""

import asyncio
import os
import shlex
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from services.cli.failures import Failure, Status
from services.cli.progress import counting
from services.cli.running import err, out, run_locally
from services.cli.training_bars import TrainingBars


def train(
    data: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Pictures. Each folder below it is a class; without any, views are."),
    ],
    target: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where the encoder and its log go.")],
    family: Annotated[str, typer.Option(help="rnn, cnn-head, gan or bigan.")] = "rnn",
    unlabelled: Annotated[bool, typer.Option("--unlabelled", help="The folders say nothing of the pictures.")] = False,
    excluded: Annotated[
        list[str] | None, typer.Option("--exclude", metavar="NAME", help="A folder that is left out.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="The most epochs.")] = 30,
    patience: Annotated[int, typer.Option(min=1, help="Epochs without a better result before the end.")] = 8,
    minutes: Annotated[float | None, typer.Option(help="End in this time.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="The same seed and pictures give the same weights.")] = 0,
    loss: Annotated[str, typer.Option(help="supcon, multi-similarity, proxy-anchor or nt-xent.")] = "supcon",
    dim: Annotated[int, typer.Option(min=8, max=4096, help="Length of the vectors.")] = 384,
    channels: Annotated[int, typer.Option(min=4, max=128, help="Width of the networks of gan and bigan.")] = 48,
    views: Annotated[int, typer.Option(min=1, max=16, help="Changed views of each picture for rnn and cnn-head.")] = 3,
    batch: Annotated[int | None, typer.Option(min=8, max=4096, help="Pictures in a step.", show_default=False)] = None,
    max_pictures: Annotated[int, typer.Option(min=8, help="The most pictures that are read.")] = 20_000,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in the folder --out.")] = False,
    licence: Annotated[str | None, typer.Option(help="Of the pictures, for the card.", show_default=False)] = None,
    device: Annotated[str, typer.Option(help="As AFTERIMAGE_DEVICE.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.", show_default=False)] = None,
) -> None:
    """Train an encoder on pictures, and say how good it is. Needs afterimage[study], and no broker.

    A fifth of the pictures is held out to judge it by; the best epoch is kept. Writes encoder.safetensors, log.csv,
    curves.png and MODEL_CARD.md. Ctrl-C leaves the checkpoint of the last epoch, for --resume.
    """

    async def make() -> Status:
        if not data.is_dir():
            raise Failure(f"there is no folder {str(data)!r}", Status.MISUSED)
        # Read once by OpenMP when torch is imported, see services/extractor/__main__.py.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from services.cli import training  # noqa: PLC0415 - brings torch, which takes seconds

        asked = training.asked_for(
            family=family,
            loss=loss,
            data=data,
            out=target,
            excluded=tuple(excluded or ()),
            unlabelled=unlabelled,
            epochs=epochs,
            patience=patience,
            minutes=minutes,
            seed=seed,
            dim=dim,
            channels=channels,
            views=views,
            batch=batch,
            max_pictures=max_pictures,
            resume=resume,
            licence=licence,
            # Going on gives what would have come without the interruption.
            command=shlex.join(["afterimage", *(word for word in sys.argv[1:] if word != "--resume")]),
        )
        stop = threading.Event()
        with counting(err) as bar:
            work = asyncio.ensure_future(
                asyncio.to_thread(training.make, asked, device, threads, TrainingBars(bar), stop.is_set)
            )
            try:
                outcome = await asyncio.shield(work)
            except asyncio.CancelledError:  # by Ctrl-C: let the step that is under way end
                stop.set()
                await asyncio.wait([work])
                err.print(f"stopped; --resume goes on from {target}, if an epoch was done")
                raise
        out.print(training.report(outcome), soft_wrap=True, markup=False)
        return Status.OK

    run_locally(make)
