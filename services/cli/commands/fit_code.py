"""`afterimage fit-code`: a code that is learned from one's own images."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from services.cli.failures import Failure, Status
from services.cli.pictures import Picture, check, pictures
from services.cli.progress import counting
from services.cli.running import err, out, run_locally
from shared.codes.recipe import Recipe
from shared.events.faults import PoisonInput
from shared.runtime.settings import load

if TYPE_CHECKING:
    from rich.progress import Progress

    from services.cli.code_fitting import Embedded, Fitted


def fit_code(
    *,
    images: Annotated[
        list[str] | None, typer.Argument(metavar="IMAGE...", help="Files, and folders with all that is below them.")
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npy",
            help="Instead of images: their vectors, one a row, as `afterimage embed --code f32` writes them.",
        ),
    ] = None,
    code: Annotated[
        str,
        typer.Option(
            help=r"\[pcaD,|whitenD,] and one of f32, f16, i8, b1, itq, pqM, opqM, vqM, where M is the bytes "
            "of a vector; pq, opq and vq may end with +f16: pca256,itq or opq320+f16."
        ),
    ],
    target: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where the code goes: FILE.safetensors.")],
    most: Annotated[int, typer.Option(min=1, help="Images to learn from, and to tell the loss by.")] = 80_000,
    seed: Annotated[int, typer.Option(help="The same seed and images give the same code.")] = 0,
) -> None:
    """Learn a code from images, and say what it loses. Needs no broker.

    Every fourth image is held out, and tells the loss. Whether the code goes with the encoder and with so many images
    is checked before any is encoded. The encoder is that of AFTERIMAGE_ENCODER; give the file to all workers as
    AFTERIMAGE_CODE, and build a new index. A file that was fitted to --vectors names no encoder, so that no worker can
    refuse it to another. docs/codes.md says what the codes are, and which one to take.
    """

    async def make() -> Status:
        if (vectors is None) == (not images):
            raise Failure("give either images or --vectors FILE.npy", Status.MISUSED)
        recipe = _recipe(code)
        if target.suffix != ".safetensors":
            raise Failure(f"the file must be named FILE.safetensors, and not {str(target)!r}", Status.MISUSED)
        if images:
            check(images)
        # Read once by OpenMP when torch is imported, see services/extractor/__main__.py.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from services.cli import code_fitting  # noqa: PLC0415 - brings torch, which takes seconds

        failures = 0
        with counting(err) as bar:
            if vectors is None:
                learned, failures = await _embedded(images or [], recipe, most, bar)
            else:
                learned = code_fitting.read_vectors(vectors, most)
                code_fitting.check_fit(recipe, vectors=len(learned.values), dim=learned.values.shape[1])
            steps = {}

            def on_step(what: str, done: int, of: int) -> None:
                if what not in steps:
                    steps[what] = bar.add_task(what, total=of)
                bar.update(steps[what], completed=done, total=of)

            fitted = await asyncio.to_thread(
                code_fitting.fit_and_measure, learned, recipe, target, seed=seed, on_step=on_step
            )
        out.print(_table(fitted))
        return Status.INCOMPLETE if failures else Status.OK

    run_locally(make)


async def _embedded(images: list[str], recipe: Recipe, most: int, bar: "Progress") -> "tuple[Embedded, int]":
    """Also tell how many images have no vector."""
    from services.cli import code_fitting  # noqa: PLC0415 - as above
    from services.cli.embedding import EmbedSettings  # noqa: PLC0415 - as above

    settings = load(EmbedSettings, {"AFTERIMAGE_CODE": "f32"})
    count = await asyncio.to_thread(_count, images, most)
    embedding = bar.add_task("embedding", total=count)
    failures = 0

    def failed(picture: Picture, fault: PoisonInput) -> None:
        nonlocal failures
        failures += 1
        bar.console.print(f"{picture.name}: {fault}", soft_wrap=True, markup=False)
        bar.update(embedding, advance=1, bad=f"{failures} failed")

    learned = await code_fitting.embedded(
        settings, pictures(images), count, recipe, on_vector=lambda: bar.update(embedding, advance=1), failed=failed
    )
    return learned, failures


def _recipe(code: str) -> Recipe:
    try:
        return Recipe.parse(code)
    except ValueError as error:
        raise Failure(str(error), Status.MISUSED) from error


def _count(places: list[str], most: int) -> int:
    return min(most, sum(1 for _ in pictures(places)))


def _table(fitted: "Fitted") -> Table:
    table = Table(
        "code", "bytes an image", "recall@10 of f32", "squared error", "variance kept", box=None, pad_edge=False
    )
    table.add_row("f32", str(4 * fitted.dim), "1.000", "0.0000", "1.000")
    error, kept = fitted.loss.distortion, fitted.loss.variance_kept
    table.add_row(
        fitted.name,
        str(fitted.code_bytes),
        f"{fitted.recall_at_10:.3f}",
        "-" if error is None else f"{error:.4f}",
        "-" if kept is None else f"{kept:.3f}",
    )
    table.caption = f"by {fitted.queries} of the images held out, each searched for among the others of them"
    return table
