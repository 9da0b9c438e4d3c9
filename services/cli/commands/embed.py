"""`afterimage embed`: the vectors of images, without Kafka and Redis."""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from services.cli.failures import Failure, Status
from services.cli.pictures import Picture, check, pictures
from services.cli.progress import counting
from services.cli.running import err, run_locally
from services.cli.vector_files import Vector, Write, check_format, writing
from shared.events.faults import PoisonInput
from shared.runtime.settings import load


def embed(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE...",
            help="Files, and folders with all that is below them; - is the standard input.",
            show_default=False,
        ),
    ],
    target: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Save to FILE.npy (and FILE.json) or FILE.parquet."),
    ] = None,
    code: Annotated[str, typer.Option(help="f32 for the vectors, i8 for what the index stores.")] = "f32",
    encoder: Annotated[
        str | None, typer.Option(help="As AFTERIMAGE_ENCODER; `afterimage models` lists them.", show_default=False)
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="As AFTERIMAGE_ENCODER_WEIGHTS.", show_default=False)
    ] = None,
    device: Annotated[str | None, typer.Option(help="As AFTERIMAGE_DEVICE.", show_default=False)] = None,
    backend: Annotated[str | None, typer.Option(help="As AFTERIMAGE_BACKEND.", show_default=False)] = None,
) -> None:
    """Print or save the feature vectors of images, one JSON line for each. Needs neither Kafka nor Redis.

    The vectors are those that an extractor with the same settings makes, in the order of the images. An image that
    cannot be read is named with its reason, and left out; the command then ends with 3.
    """
    given = {
        "AFTERIMAGE_CODE": code,
        "AFTERIMAGE_ENCODER": encoder,
        "AFTERIMAGE_ENCODER_WEIGHTS": weights,
        "AFTERIMAGE_DEVICE": device,
        "AFTERIMAGE_BACKEND": backend,
    }

    async def make() -> Status:
        check_format(target)
        check(images)
        # Read once by OpenMP when torch is imported, see services/extractor/__main__.py.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from services.cli import embedding  # noqa: PLC0415 - brings torch, which takes seconds

        settings = load(embedding.EmbedSettings, {name: value for name, value in given.items() if value is not None})
        async with embedding.embedder(settings) as embedder:
            report = _Report(total=await asyncio.to_thread(_count, images) if target else None)
            try:
                with report.bar, writing(target, embedder.layout, sys.stdout) as write:
                    await embedder.embed(pictures(images), report.counting(write), report.failed)
            except BrokenPipeError:  # whoever read the lines has had enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return Status.FAILED
            except OSError as error:
                raise Failure(f"the vectors cannot be written: {error}") from error
        report.close()
        return Status.INCOMPLETE if report.failures else Status.OK

    run_locally(make)


def _count(places: list[str]) -> int:
    return sum(1 for _ in pictures(places))


class _Report:
    """What becomes of the images, on standard error. total: None where no vectors are saved, and so no bar is shown."""

    def __init__(self, total: int | None) -> None:
        self.failures = 0
        self.bar = counting(err, shown=total is not None)
        self._task = self.bar.add_task("embedding", total=total)
        self._vectors = 0
        self._began = time.monotonic()

    def counting(self, write: Write) -> Write:
        """Count what is written."""

        def write_and_count(name: str, vector: Vector) -> None:
            write(name, vector)
            self._vectors += 1
            self._advance()

        return write_and_count

    def failed(self, picture: Picture, fault: PoisonInput) -> None:
        err.print(f"{picture.name}: {fault}", soft_wrap=True, markup=False)
        self.failures += 1
        self._advance()

    def close(self) -> None:
        if not self.bar.disable:
            err.print(f"{self._vectors} vectors, {self.failures} images without; {self._rate:.0f} images/s")

    @property
    def _rate(self) -> float:
        return (self._vectors + self.failures) / (time.monotonic() - self._began)

    def _advance(self) -> None:
        bad = f"{self.failures} failed" if self.failures else ""
        self.bar.update(self._task, advance=1, rate=f"{self._rate:.0f}/s", bad=bad)
