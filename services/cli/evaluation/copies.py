"""From pictures to how well each scheme finds the original of a changed copy among all of them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from services.cli.evaluation.schemes import SchemeSpec
from services.cli.evaluation.storing import stored
from services.cli.evaluation.vectors import Step, Vectors, vectors_of
from services.cli.failures import Failure, Status
from services.cli.pictures import Picture
from shared.evaluation.copy_detection import Found, find_originals
from shared.evaluation.transforms import TRANSFORMS, changed
from shared.events.faults import PoisonInput
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits

_LONGEST_SIDE = 1024
"""Of what is changed, in pixels: encoders look at less, and copies of photos as they are would fill the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A file with a changed picture, and what it was made of."""

    picture: Picture
    original: Picture
    transform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedCopies:
    """found: of all copies, in the order of the evaluation's."""

    spec: SchemeSpec
    bytes_per_image: int
    milliseconds: float
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyEvaluation:
    """results: in the order of the schemes. pictures: those searched. learned_from: those that codes were fitted to."""

    results: list[EvaluatedCopies]
    pictures: list[Picture]
    copies: list[Copy]
    learned_from: int
    failures: dict[str, str]

    def made_by(self, transform: str) -> npt.NDArray[np.bool_]:
        """Which of the copies a transform made."""
        return np.array([copy.transform == transform for copy in self.copies])


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """searched: the pictures among which copies are to find their originals. copied: those of which copies are made."""

    searched: list[Picture]
    copied: list[Picture]
    learned: list[Picture]

    @property
    def size(self) -> int:
        """How many pictures each encoder will embed."""
        return len(self.searched) + len(self.learned) + len(self.copied) * len(TRANSFORMS)


def plan(pictures: Sequence[Picture], specs: Sequence[SchemeSpec], *, queries: int | None, seed: int) -> Plan:
    """Draw an order, and which pictures are copied. Raises Failure where there are less than two.

    Where a code is fitted, every other picture is learned from, and neither copied nor searched.
    """
    order = [pictures[number] for number in np.random.default_rng(seed).permutation(len(pictures)).tolist()]
    learns = any(spec.learns for spec in specs)
    searched, learned = (order[::2], order[1::2]) if learns else (order, [])
    if len(searched) < 2:
        raise Failure(f"{len(pictures)} pictures are too few for a search; give some more", Status.MISUSED)
    return Plan(searched=searched, copied=searched[:queries], learned=learned)


async def evaluate_copies(
    data: Path, planned: Plan, specs: Sequence[SchemeSpec], folder: Path, *, seed: int, step: Step
) -> CopyEvaluation:
    """Make copies in a folder, embed all once by each encoder, and judge each code. Raises Failure and BadSettings."""
    failures: dict[str, str] = {}
    copies = await asyncio.to_thread(_make, data, planned.copied, folder, seed, failures, step)
    everything = [*planned.searched, *planned.learned, *(copy.picture for copy in copies)]
    vectors = await vectors_of(everything, specs, failures, step)
    for copy in copies:
        if (reason := failures.pop(copy.picture.name, None)) is not None:
            failures[f"{copy.original.name}, changed by {copy.transform}"] = reason
            failures.setdefault(copy.original.name, "a copy of it has no vector")
    searched, learned = (
        [one for one in part if one.name not in failures] for part in (planned.searched, planned.learned)
    )
    copies = [copy for copy in copies if copy.original.name not in failures]
    if not copies:
        raise Failure("no picture could be read and copied")
    row_of = {picture.name: row for row, picture in enumerate(searched)}
    originals = [row_of[copy.original.name] for copy in copies]
    results = [_judge(spec, vectors[spec.encoder], searched, learned, copies, originals, seed=seed) for spec in specs]
    return CopyEvaluation(
        results=results, pictures=searched, copies=copies, learned_from=len(learned), failures=failures
    )


def _judge(
    spec: SchemeSpec,
    vectors: Vectors,
    searched: list[Picture],
    learned: list[Picture],
    copies: list[Copy],
    originals: list[int],
    *,
    seed: int,
) -> EvaluatedCopies:
    mine = vectors.of([*searched, *(copy.picture for copy in copies)])
    try:
        both = stored(spec, mine, vectors.of(learned), vectors.encoder, seed=seed)
    except ValueError as error:
        raise Failure(f"{spec} cannot be judged by these pictures: {error}") from error
    codes = np.ascontiguousarray(both.codes[: len(searched)])
    queries = np.ascontiguousarray(both.queries[len(searched) :])
    return EvaluatedCopies(
        spec=spec,
        bytes_per_image=codes.shape[1],
        milliseconds=vectors.milliseconds,
        found=find_originals(codes, queries, originals, both.vector_format),
    )


def _make(
    data: Path, pictures: Sequence[Picture], folder: Path, seed: int, failures: dict[str, str], step: Step
) -> list[Copy]:
    """Write the copies, without loss. What cannot be read has none, and is named."""
    copies = []
    limits = ImageLimits()
    for number, picture in enumerate(pictures):
        try:
            image = decode_rgb(picture.read(limits.max_bytes), limits, _LONGEST_SIDE)
        except PoisonInput as fault:
            failures[picture.name] = str(fault)
            step(COPYING)
            continue
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
        for transform in TRANSFORMS:
            path = folder / f"{number}-{transform}.png"
            name = Path(picture.path).relative_to(data).as_posix()
            changed(image, transform, seed=seed, name=name).save(path, compress_level=1)
            copies.append(Copy(picture=Picture(str(path)), original=picture, transform=transform))
        step(COPYING)
    return copies


COPYING = "copies"
"""What is said to `step` of a picture whose copies are made."""
