"""From a folder for each class to how well each scheme finds the class of a picture.

Importing this takes seconds, since it brings torch.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from services.cli.embedding import EmbedSettings, embedder
from services.cli.failures import Failure, Status
from services.cli.pictures import Picture
from shared.codes.description import PLAIN
from shared.codes.fitted_file import EncoderIdentity, pack
from shared.codes.fitting.fit import fit
from shared.codes.recipe import Recipe
from shared.evaluation.baselines import BASELINES
from shared.evaluation.coding import CodedPictures, coded
from shared.evaluation.leave_one_out import Judged, leave_one_out
from shared.events.faults import PoisonInput
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from shared.runtime.settings import load

Floats = npt.NDArray[np.float32]
Step = Callable[[str], None]
"""Hears of each picture that an encoder or a baseline is done with, and by which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeSpec:
    """encoder: as AFTERIMAGE_ENCODER, or a baseline. code: as AFTERIMAGE_CODE, or a recipe; None of a baseline."""

    encoder: str
    code: str | None

    @classmethod
    def parse(cls, text: str) -> "SchemeSpec":
        """Read ENCODER[@CODE], where what follows the last @ is the code. Raises Failure."""
        if text in BASELINES:
            return cls(encoder=text, code=None)
        encoder, _, code = text.rpartition("@") if "@" in text else (text, "", "i8")
        if encoder in BASELINES:
            raise Failure(f"{encoder} has a code of its own; leave out @{code}", Status.MISUSED)
        if code not in PLAIN and not code.endswith(".safetensors"):
            try:
                Recipe.parse(code)
            except ValueError as error:
                raise Failure(f"the scheme {text!r} cannot be used: {error}", Status.MISUSED) from error
        return cls(encoder=encoder, code=code)

    def __str__(self) -> str:
        return self.encoder if self.code is None else f"{self.encoder}@{self.code}"

    @property
    def learns(self) -> bool:
        """Whether the code is fitted here."""
        return self.code is not None and self.code not in PLAIN and not self.code.endswith(".safetensors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A picture, and the folder below the data that it lies in."""

    picture: Picture
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """milliseconds: of reading, decoding and encoding one picture, in a stream of all, after the first run."""

    spec: SchemeSpec
    bytes_per_image: int
    milliseconds: float
    judged: Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class _Embedded:
    """vectors: by the name of the picture, float32 (dim,), or the uint8 code of a baseline."""

    vectors: dict[str, npt.NDArray[np.generic]]
    milliseconds: float
    encoder: EncoderIdentity | None = None


def find(data: Path, pictures: Sequence[Picture], *, per_class: int | None, seed: int) -> list[Labelled]:
    """Label pictures by their folders, and take as many of each class as asked for.

    Their order is drawn by the seed, so that equal scores favour no class. Raises Failure where there are less than two
    classes, and where pictures lie in none.
    """
    loose = [Path(picture.path).name for picture in pictures if Path(picture.path).parent == data]
    if loose:
        named = ", ".join(map(repr, loose[:3])) + (f" and {len(loose) - 3} more" if len(loose) > 3 else "")
        raise Failure(
            f"{named} of {str(data)!r} lie in no class: each class is a folder; put them into one, or elsewhere",
            Status.MISUSED,
        )
    taken: Counter[str] = Counter()
    found = []
    for number in np.random.default_rng(seed).permutation(len(pictures)).tolist():
        label = Path(pictures[number].path).relative_to(data).parts[0]
        if per_class is None or taken[label] < per_class:
            taken[label] += 1
            found.append(Labelled(picture=pictures[number], label=label))
    if len(taken) < 2:
        raise Failure(f"there must be a folder for each class in {str(data)!r}, and two at least", Status.MISUSED)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """results: in the order of the schemes. images: those judged; learned_from: those that codes were fitted to."""

    results: list[Evaluated]
    classes: tuple[str, ...]
    images: int
    learned_from: int
    failures: dict[str, str]


async def evaluate(labelled: Sequence[Labelled], specs: Sequence[SchemeSpec], *, seed: int, step: Step) -> Evaluation:
    """Embed the pictures once by each encoder, and judge each code. Raises Failure and BadSettings.

    Only pictures that all of them could read are judged. Where a code is fitted here, every other picture is learned
    from, and judged by no scheme.
    """
    failures: dict[str, str] = {}
    embedded: dict[str, _Embedded] = {}
    for spec in specs:
        if spec.encoder not in embedded:
            made = _baseline if spec.code is None else _network
            embedded[spec.encoder] = await made(spec.encoder, labelled, failures, step)
    good = [one for one in labelled if one.picture.name not in failures]
    learns = any(spec.learns for spec in specs)
    judged, learned = (good[::2], good[1::2]) if learns else (good, [])
    classes = tuple(sorted({one.label for one in judged}))
    labels = [classes.index(one.label) for one in judged]
    results = []
    for spec in specs:
        source = embedded[spec.encoder]
        vectors, others = (np.array([source.vectors[one.picture.name] for one in part]) for part in (judged, learned))
        try:
            stored = _coded(spec, vectors, others, source.encoder, seed)
            judgement = leave_one_out(stored, labels)
        except ValueError as error:
            raise Failure(f"{spec} cannot be judged by these pictures: {error}") from error
        results.append(
            Evaluated(
                spec=spec,
                bytes_per_image=stored.codes.shape[1],
                milliseconds=source.milliseconds,
                judged=judgement,
            )
        )
    return Evaluation(
        results=results, classes=classes, images=len(judged), learned_from=len(learned), failures=failures
    )


async def _network(encoder: str, labelled: Sequence[Labelled], failures: dict[str, str], step: Step) -> _Embedded:
    settings = load(EmbedSettings, {"AFTERIMAGE_ENCODER": encoder, "AFTERIMAGE_CODE": "f32"})
    vectors: dict[str, npt.NDArray[np.generic]] = {}

    def write(name: str, vector: npt.NDArray[np.generic]) -> None:
        vectors[name] = vector.astype(np.float32)
        step(encoder)

    def failed(picture: Picture, fault: PoisonInput) -> None:
        failures[picture.name] = str(fault)
        step(encoder)

    async with embedder(settings) as with_engine:
        began = time.perf_counter()
        await with_engine.embed((one.picture for one in labelled), write, failed)
        milliseconds = 1000 * (time.perf_counter() - began) / len(labelled)
        return _Embedded(vectors=vectors, milliseconds=milliseconds, encoder=with_engine.engine.encoder)


async def _baseline(name: str, labelled: Sequence[Labelled], failures: dict[str, str], step: Step) -> _Embedded:
    limits = ImageLimits()

    def make() -> _Embedded:
        vectors: dict[str, npt.NDArray[np.generic]] = {}
        code_of, _ = BASELINES[name]
        try:
            code_of(Image.new("RGB", (256, 256)))  # what it imports takes longer than it does
        except ImportError as error:
            raise Failure(f"{name} needs imagehash; install afterimage[study]") from error
        began = time.perf_counter()
        for one in labelled:
            try:
                vectors[one.picture.name] = code_of(decode_rgb(one.picture.read(limits.max_bytes), limits, 256))
            except PoisonInput as fault:
                failures[one.picture.name] = str(fault)
            step(name)
        return _Embedded(vectors=vectors, milliseconds=1000 * (time.perf_counter() - began) / len(labelled))

    return await asyncio.to_thread(make)


def _coded(
    spec: SchemeSpec,
    vectors: npt.NDArray[np.generic],
    others: npt.NDArray[np.generic],
    encoder: EncoderIdentity | None,
    seed: int,
) -> CodedPictures:
    """Return the bytes that would be stored, and those that queries would bring."""
    if spec.code is None:
        codes = vectors.astype(np.uint8)
        return CodedPictures(codes=codes, queries=codes, vector_format=BASELINES[spec.encoder][1])
    with _code_file(spec, others, encoder, seed) as setting:
        return coded(setting, vectors.astype(np.float32), encoder)


@contextmanager
def _code_file(
    spec: SchemeSpec, others: npt.NDArray[np.generic], encoder: EncoderIdentity | None, seed: int
) -> Iterator[str]:
    """The setting of the code: what is fitted here is a file for as long as it is used."""
    assert spec.code is not None  # noqa: S101 - that of a baseline is made with its features
    if not spec.learns:
        yield spec.code
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "code.safetensors")
        fitted = fit(torch.from_numpy(others.astype(np.float32)), Recipe.parse(spec.code), encoder=encoder, seed=seed)
        path.write_bytes(pack(fitted))
        yield str(path)
