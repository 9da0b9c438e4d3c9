"""`afterimage quantize`: an int8 network, calibrated on one's own images."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from services.cli.failures import Failure, Status
from services.cli.pictures import Picture, check, pictures
from services.cli.running import err, out, run_locally
from shared.events.faults import PoisonInput
from shared.runtime.settings import load


def quantize(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGE...", help="Files, and folders with all that is below them.")
    ],
    target: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Where the network goes: FILE.safetensors.")
    ],
) -> None:
    """Make an int8 network of the encoder, and say what it loses. Needs afterimage[int8], and no broker.

    It is calibrated on the first 400 images, but for every fourth, which tells the loss. The encoder is that of
    AFTERIMAGE_ENCODER; give the file to the workers as AFTERIMAGE_ENCODER_WEIGHTS, and build a new index.
    """

    def failed(picture: Picture, fault: PoisonInput) -> None:
        err.print(f"{picture.name}: {fault}", soft_wrap=True, markup=False)

    async def make() -> Status:
        check(images)
        if target.suffix != ".safetensors":
            raise Failure(f"the file must be named FILE.safetensors, and not {str(target)!r}", Status.MISUSED)
        # Read once by OpenMP when torch is imported, see services/extractor/__main__.py.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from services.cli import quantizing  # noqa: PLC0415 - brings torch, which takes seconds

        settings = load(quantizing.QuantizeSettings)
        try:
            lost = await asyncio.to_thread(quantizing.make, settings, pictures(images), target, failed)
        except OSError as error:
            raise Failure(f"{target} cannot be written: {error}") from error
        out.print(
            f"on the images held out: cosine {lost.mean_cosine:.4f} on average, {lost.min_cosine:.4f} at worst; "
            f"recall@10 {lost.recall_at_10:.3f} of what the encoder finds in float32"
        )
        return Status.OK

    run_locally(make)
