"""From a folder for each class to how well each scheme finds the class of a picture."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.cli.evaluation.schemes import SchemeSpec
from services.cli.evaluation.storing import stored
from services.cli.evaluation.vectors import Step, vectors_of
from services.cli.failures import Failure, Status
from services.cli.pictures import Picture
from shared.evaluation.leave_one_out import Judged, leave_one_out


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
class Evaluation:
    """results: in the order of the schemes. pictures: those judged; learned_from: those that codes were fitted to."""

    results: list[Evaluated]
    classes: tuple[str, ...]
    pictures: list[Labelled]
    learned_from: int
    failures: dict[str, str]


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


async def evaluate(labelled: Sequence[Labelled], specs: Sequence[SchemeSpec], *, seed: int, step: Step) -> Evaluation:
    """Embed the pictures once by each encoder, and judge each code. Raises Failure and BadSettings.

    Only pictures that all of them could read are judged. Where a code is fitted here, every other picture is learned
    from, and judged by no scheme.
    """
    failures: dict[str, str] = {}
    vectors = await vectors_of([one.picture for one in labelled], specs, failures, step)
    good = [one for one in labelled if one.picture.name not in failures]
    judged, learned = (good[::2], good[1::2]) if any(spec.learns for spec in specs) else (good, [])
    classes = tuple(sorted({one.label for one in judged}))
    labels = [classes.index(one.label) for one in judged]
    results = []
    for spec in specs:
        source = vectors[spec.encoder]
        mine, others = (source.of([one.picture for one in part]) for part in (judged, learned))
        try:
            codes = stored(spec, mine, others, source.encoder, seed=seed)
            judgement = leave_one_out(codes, labels)
        except ValueError as error:
            raise Failure(f"{spec} cannot be judged by these pictures: {error}") from error
        results.append(
            Evaluated(
                spec=spec,
                bytes_per_image=codes.codes.shape[1],
                milliseconds=source.milliseconds,
                judged=judgement,
            )
        )
    return Evaluation(results=results, classes=classes, pictures=judged, learned_from=len(learned), failures=failures)
