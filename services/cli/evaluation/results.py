"""What is said of an evaluation, in whatever form: the measures and costs of each scheme, and which differ."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from services.cli.evaluation.classes import Evaluation
from services.cli.evaluation.copies import CopyEvaluation
from shared.evaluation.copy_detection import Found
from shared.evaluation.metrics import Values, difference
from shared.evaluation.transforms import TRANSFORMS

CLASS_MEASURES = ("mAP", "hit@1", "hit@5", "hit@10", "nDCG@10")
COPY_MEASURES = ("mAP", "recall@1", "microAP")


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeResult:
    """measures: by name, means over all queries. by_transform: the same of the copies that each transform made."""

    scheme: str
    measures: dict[str, float]
    bytes_per_image: int
    milliseconds: float
    by_transform: dict[str, dict[str, float]] = field(default_factory=dict)

    def row(self) -> dict[str, Any]:
        """As in results.csv."""
        return {
            "scheme": self.scheme,
            **self.measures,
            "bytes": self.bytes_per_image,
            "ms": round(self.milliseconds, 2),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """counts: what was judged, by name. differences: a sentence for each scheme but the first."""

    measures: tuple[str, ...]
    schemes: list[SchemeResult]
    counts: dict[str, int]
    summary: str
    differences: list[str]

    def content(self) -> dict[str, Any]:
        """As it is printed in JSON."""
        rows = [
            scheme.row() | ({"transforms": scheme.by_transform} if scheme.by_transform else {})
            for scheme in self.schemes
        ]
        return {**self.counts, "schemes": rows, "differences": self.differences}


def of_classes(evaluated: Evaluation, seed: int) -> Results:
    schemes = []
    for result in evaluated.results:
        quality = result.judged.quality
        values = (quality.average_precision, *quality.hit_at.values(), quality.ndcg_at_10)
        schemes.append(
            SchemeResult(
                scheme=str(result.spec),
                measures={name: _mean(of_query) for name, of_query in zip(CLASS_MEASURES, values, strict=True)},
                bytes_per_image=result.bytes_per_image,
                milliseconds=result.milliseconds,
            )
        )
    precisions = [result.judged.quality.average_precision for result in evaluated.results]
    return Results(
        measures=CLASS_MEASURES,
        schemes=schemes,
        counts={"images": len(evaluated.pictures), "learned_from": evaluated.learned_from},
        summary=f"{len(evaluated.pictures)} images of {len(evaluated.classes)} classes"
        + _learned(evaluated.learned_from),
        differences=_differences([scheme.scheme for scheme in schemes], precisions, seed),
    )


def of_copies(evaluated: CopyEvaluation, seed: int) -> Results:
    masks = {transform: evaluated.made_by(transform) for transform in TRANSFORMS}
    schemes = [
        SchemeResult(
            scheme=str(result.spec),
            measures=_copy_measures(result.found),
            bytes_per_image=result.bytes_per_image,
            milliseconds=result.milliseconds,
            by_transform={name: _copy_measures(result.found.of(mask)) for name, mask in masks.items()},
        )
        for result in evaluated.results
    ]
    # The copies of one picture are no chance of their own: pictures are drawn by the bootstrap, with all their copies.
    precisions = [
        np.mean([result.found.average_precision[mask] for mask in masks.values()], axis=0)
        for result in evaluated.results
    ]
    copied = len(evaluated.copies) // len(TRANSFORMS)
    return Results(
        measures=COPY_MEASURES,
        schemes=schemes,
        counts={
            "images": len(evaluated.pictures),
            "copied": copied,
            "copies": len(evaluated.copies),
            "learned_from": evaluated.learned_from,
        },
        summary=f"{len(evaluated.copies)} copies of {copied} images, among {len(evaluated.pictures)} images"
        + _learned(evaluated.learned_from),
        differences=_differences([scheme.scheme for scheme in schemes], precisions, seed),
    )


def _learned(count: int) -> str:
    return f"; codes were fitted to {count} others" if count else ""


def _copy_measures(found: Found) -> dict[str, float]:
    values = (_mean(found.average_precision), _mean(found.recall_at_1), round(found.micro_average_precision, 4))
    return dict(zip(COPY_MEASURES, values, strict=True))


def _mean(values: Values) -> float:
    return round(float(values.mean()), 4)


def _differences(names: Sequence[str], precisions: Sequence[Values], seed: int) -> list[str]:
    return [
        difference(other, precisions[0], seed=seed).sentence(name, names[0])
        for name, other in zip(names[1:], precisions[1:], strict=True)
    ]
