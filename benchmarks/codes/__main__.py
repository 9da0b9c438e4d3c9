"""Run the benchmark of the codes: ``python -m benchmarks.codes``. The last line is JSON with the ratios."""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from benchmarks.codes import ours, plain_faiss
from benchmarks.codes.plan import FACTORIES, RECIPES, Fit
from benchmarks.index.apart import apart
from benchmarks.index.cache import Cache
from benchmarks.index.plan import full
from benchmarks.index.sets import vector_sets
from benchmarks.index.workload import Workload
from benchmarks.machine import describe
from benchmarks.table import Measured, Part, say

_GOALS = {"i8": "recall_lost_by_i8", "opq320": "recall_lost_by_opq_16th", "opq320+f16": "recall_lost_by_opq_16th_f16"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.codes", description=__doc__)
    parser.add_argument("--crops", type=int, default=6_000, help="crops of photos to fit to and to search")
    parser.add_argument("--rounds", type=int, default=5, help="times that all are encoded")
    parser.add_argument("--threads", type=int, default=1, help="of both libraries")
    parser.add_argument("--recipes", type=lambda text: text.split(";"), default=RECIPES, metavar="RECIPE;...")
    parser.add_argument("--cache", type=Path, help="a folder to keep the features in, for the next run")
    options = parser.parse_args()
    print(describe())
    print(f"compared with: faiss-cpu {version('faiss-cpu')}; {options.threads} threads each")
    with tempfile.TemporaryDirectory(prefix="afterimage-bench-") as scratch:
        plan = replace(full([], ()), crops=options.crops)
        [features] = vector_sets(plan, Cache(options.cache or Path(scratch)))
        ratios: dict[str, float] = {}
        for part in _parts(features.folder, options.recipes, options.rounds, options.threads):
            part.show()
            ratios |= part.ratios
    print(json.dumps({name: round(value, 4) for name, value in ratios.items()}))


def _parts(folder: Path, recipes: Sequence[str], rounds: int, threads: int) -> list[Part]:
    workload = Workload.load(folder)
    title = f"{len(workload.base):,} features of photos, {workload.base.shape[1]} numbers"
    found, by_faiss = {}, {}
    for recipe in recipes:
        say(f"fitting {recipe}")
        found[recipe] = apart(ours.measure, recipe, workload.base, workload.queries, rounds, threads)
        if recipe in FACTORIES:
            say(f"fitting {recipe} with faiss")
            by_faiss[recipe] = apart(plain_faiss.measure, recipe, workload.base, workload.queries, rounds, threads)
    recalls, of_faiss = (
        {recipe: workload.recall(each.found) for recipe, each in fits.items()} for fits in (found, by_faiss)
    )
    return [
        Part(
            title=f"Recall@10 of the nearest by float32, {title}",
            unit="recall; every row compared",
            rows=[
                *_recalls(found, recalls, ""),
                *_recalls(by_faiss, of_faiss, " by faiss"),
            ],
            ratios={name: 1 - recalls[recipe] for recipe, name in _GOALS.items() if recipe in recalls},
        ),
        _compared(f"Fitting, {title}", "s", {r: [f.fit_s] for r, f in found.items()}, _fits(by_faiss), "fit"),
        _compared(
            f"Encoding, {title}",
            "vectors/s",
            {recipe: each.encoded_per_s for recipe, each in found.items()},
            {recipe: each.encoded_per_s for recipe, each in by_faiss.items()},
            "encode",
        ),
    ]


def _recalls(fits: Mapping[str, Fit], recalls: Mapping[str, float], by: str) -> list[Measured]:
    return [
        Measured(name=f"{recipe}{by}", values=[recalls[recipe]], note=f"{each.code_bytes} bytes a vector")
        for recipe, each in fits.items()
    ]


def _fits(by_faiss: Mapping[str, Fit]) -> dict[str, Sequence[float]]:
    return {recipe: [each.fit_s] for recipe, each in by_faiss.items()}


def _compared(
    title: str,
    unit: str,
    mine: Mapping[str, Sequence[float]],
    theirs: Mapping[str, Sequence[float]],
    what: str,
) -> Part:
    rows = [Measured(name=recipe, values=values) for recipe, values in mine.items()]
    rows += [Measured(name=f"{recipe} by faiss", values=values) for recipe, values in theirs.items()]
    ratios = {}
    for recipe, values in theirs.items():
        one, other = (Measured(name="", values=each).p50 for each in (mine[recipe], values))
        speed = other / one if what == "fit" else one / other
        ratios[f"{what}_over_faiss_{recipe.replace(',', '_')}"] = speed
    return Part(title=title, unit=unit, rows=rows, ratios=ratios, notes=["over: how many times as fast as faiss"])


if __name__ == "__main__":
    main()
