"""Pictures as vectors, made once by each encoder however many codes are judged with it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from services.cli.embedding import EmbedSettings, embedder
from services.cli.evaluation.schemes import SchemeSpec
from services.cli.failures import Failure
from services.cli.pictures import Picture
from shared.codes.fitted_file import EncoderIdentity
from shared.evaluation.baselines import BASELINES
from shared.events.faults import PoisonInput
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from shared.runtime.settings import load

Rows = npt.NDArray[np.generic]
"""(pictures, dim) float32 of an encoder, (pictures, bytes) uint8 of a baseline."""
Step = Callable[[str], None]
"""Hears of each picture that an encoder or a baseline is done with, and by which."""
_BASELINE_SIDE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """by_name: of each picture, float32 (dim,), or the uint8 code of a baseline.

    milliseconds: of reading, decoding and encoding one picture, in a stream of all, after the first run.
    """

    by_name: dict[str, Rows]
    milliseconds: float
    encoder: EncoderIdentity | None = None

    def of(self, pictures: Sequence[Picture]) -> Rows:
        """Return the rows of pictures that all have one."""
        return np.array([self.by_name[picture.name] for picture in pictures])


async def vectors_of(
    pictures: Sequence[Picture], specs: Sequence[SchemeSpec], failures: dict[str, str], step: Step
) -> dict[str, Vectors]:
    """Embed pictures by each encoder of the schemes, by its name. Raises Failure and BadSettings.

    `failures` gets the reason for each picture, by its name, that one of them could not embed.
    """
    made: dict[str, Vectors] = {}
    for spec in specs:
        if spec.encoder not in made:
            make = _by_baseline if spec.code is None else _by_network
            made[spec.encoder] = await make(spec.encoder, pictures, failures, step)
    return made


async def _by_network(encoder: str, pictures: Sequence[Picture], failures: dict[str, str], step: Step) -> Vectors:
    settings = load(EmbedSettings, {"AFTERIMAGE_ENCODER": encoder, "AFTERIMAGE_CODE": "f32"})
    vectors: dict[str, Rows] = {}

    def write(name: str, vector: Rows) -> None:
        vectors[name] = vector.astype(np.float32)
        step(encoder)

    def failed(picture: Picture, fault: PoisonInput) -> None:
        failures[picture.name] = str(fault)
        step(encoder)

    async with embedder(settings) as with_engine:
        began = time.perf_counter()
        await with_engine.embed(pictures, write, failed)
        milliseconds = 1000 * (time.perf_counter() - began) / len(pictures)
        return Vectors(by_name=vectors, milliseconds=milliseconds, encoder=with_engine.engine.encoder)


async def _by_baseline(name: str, pictures: Sequence[Picture], failures: dict[str, str], step: Step) -> Vectors:
    limits = ImageLimits()

    def make() -> Vectors:
        vectors: dict[str, Rows] = {}
        code_of, _ = BASELINES[name]
        try:
            code_of(Image.new("RGB", (_BASELINE_SIDE, _BASELINE_SIDE)))  # what it imports takes longer than it does
        except ImportError as error:
            raise Failure(f"{name} needs imagehash; install afterimage[study]") from error
        began = time.perf_counter()
        for picture in pictures:
            try:
                image = decode_rgb(picture.read(limits.max_bytes), limits, _BASELINE_SIDE)
                vectors[picture.name] = code_of(image)
            except PoisonInput as fault:
                failures[picture.name] = str(fault)
            step(name)
        return Vectors(by_name=vectors, milliseconds=1000 * (time.perf_counter() - began) / len(pictures))

    return await asyncio.to_thread(make)
