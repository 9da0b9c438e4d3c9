"""Run the benchmark of the codes: ``python -m benchmarks.codes``. The last line is JSON with the ratios."""

import os

# Read once by OpenMP, in this process and in its children: threads that spin while they wait starve the others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.codes import ours, plain_faiss, plain_sklearn, report
from benchmarks.codes.features import features
from benchmarks.codes.plan import FACTORIES, RECIPES, Fit
from benchmarks.index.apart import Apart, apart
from benchmarks.index.cache import Cache
from benchmarks.index.workload import Workload, save
from benchmarks.machine import describe
from benchmarks.table import Part, say


def main() -> None:
    options = _options()
    began = time.perf_counter()
    print(describe())
    libraries = ", ".join(f"{name} {version(name)}" for name in ("faiss-cpu", "scikit-learn"))
    print(f"compared with: {libraries}; threads: {options.threads} each")
    with tempfile.TemporaryDirectory(prefix="afterimage-bench-") as scratch:
        made = features(
            Cache(options.cache or Path(scratch)),
            crops=options.crops,
            pictures=options.pictures,
            asked=options.queries,
        )
        ratios: dict[str, float] = {}
        for part in _parts(made, Path(scratch), options):
            part.show()
            ratios |= part.ratios
    say(f"done in {time.perf_counter() - began:.0f} s")
    print(json.dumps({name: round(value, 4) for name, value in ratios.items()}))


def _parts(made: Path, scratch: Path, options: argparse.Namespace) -> Iterator[Part]:
    everything = Workload.load(made)
    learned, base = np.split(np.array(everything.base), [options.learned])
    searched = scratch / "searched"
    searched.mkdir()
    save(searched, base, np.array(everything.queries))
    found: dict[str, Fit] = {}
    by_faiss: dict[str, Fit] = {}
    with Apart(ours.Ours, learned, searched, options.threads) as child:
        for recipe in options.recipes:
            say(f"fitting {recipe}")
            found[recipe] = child.call("measure", recipe, options.rounds)
            if recipe in FACTORIES:
                say(f"fitting {recipe} with faiss")
                asked = (plain_faiss.measure, recipe, learned, searched, options.rounds, options.threads)
                by_faiss[recipe] = apart(*asked)
        by_default = child.call("found_by_default")
    title = f"{base.shape[1]} numbers, fitted to {len(learned):,} pictures, of {len(base):,} others"
    yield report.recalls(title, Workload.load(searched), found, by_faiss, by_default)
    yield report.distortions(title, found, by_faiss)
    yield report.fits(title, found, by_faiss)
    yield report.encodings(title, found, by_faiss)
    say("fitting with scikit-learn")
    yield report.agreement(title, apart(plain_sklearn.measure, learned, options.threads))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.codes", description=__doc__)
    parser.add_argument("--pictures", type=Path, help="a folder of pictures, beside the crops of the tests' photos")
    parser.add_argument("--crops", type=int, default=4_000, help="crops of photos")
    parser.add_argument(
        "--queries", type=int, default=1_000, help="pictures that are held out of all to be searched by"
    )
    parser.add_argument("--learned", type=int, default=6_000, help="pictures to fit to; the others are searched")
    parser.add_argument("--rounds", type=int, default=3, help="times that all are encoded")
    parser.add_argument("--threads", type=int, default=1, help="of all libraries")
    parser.add_argument("--recipes", type=lambda text: text.split(";"), default=RECIPES, metavar="RECIPE;...")
    parser.add_argument("--cache", type=Path, help="a folder to keep the features in, for the next run")
    return parser.parse_args()


if __name__ == "__main__":
    main()
