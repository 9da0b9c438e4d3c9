"""The sets of vectors, made once."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.index.apart import apart
from benchmarks.index.cache import Cache
from benchmarks.index.clustered import clustered
from benchmarks.index.plan import Plan
from benchmarks.index.workload import save

_SEED = 4
_CROPS_RECIPE = "crops 2 of the photos by the default model"


@dataclass(frozen=True, slots=True)
class VectorSet:
    """suffix: of the names of its ratios."""

    title: str
    suffix: str
    folder: Path


def vector_sets(plan: Plan, cache: Cache) -> Iterator[VectorSet]:
    """The clustered sets, the largest first, and that of real features. Ratios of the largest have plain names."""
    for rows in sorted(plan.rows, reverse=True):
        suffix = "" if rows == max(plan.rows) else f"_{rows}"
        yield VectorSet(f"{rows:,} clustered x {plan.dimensions}", suffix, clustered_set(plan, cache, rows))
    if plan.crops:
        made_from = f"{_CROPS_RECIPE} {plan.crops} {plan.asked}"
        folder = cache.folder(
            f"photos-{plan.crops}", made_from, lambda place: apart(_save_crops, place, plan.crops, plan.asked)
        )
        yield VectorSet("features of crops of photos", "_photos", folder)


def clustered_set(plan: Plan, cache: Cache, rows: int) -> Path:
    dimensions, asked = plan.dimensions, plan.asked
    return cache.folder(
        f"clustered-{rows}",
        f"clustered 1 {rows} {dimensions} {asked} {_SEED}",
        lambda place: apart(_save_clustered, place, rows, dimensions, asked),
    )


def _save_clustered(folder: Path, rows: int, dimensions: int, asked: int) -> None:
    vectors = clustered(rows + asked, dimensions, seed=_SEED)
    save(folder, vectors[:rows], vectors[rows:])


def _save_crops(folder: Path, crops: int, asked: int) -> None:
    from benchmarks.index.photo_crops import crop_features  # noqa: PLC0415 - torch, which nothing else here needs

    vectors = crop_features(crops + asked)
    save(folder, vectors[:-asked], vectors[-asked:])
