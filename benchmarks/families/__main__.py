"""Measure the shipped families and codes: ``make evaluate-families``. Prints tables in Markdown."""

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.families import clothes, drawings
from benchmarks.families.plan import Run, runs
from benchmarks.machine import describe
from benchmarks.table import say

_PHOTOS = Path("tests/data/photos")
_PER_CLASS = 100


def main() -> None:
    options = _options()
    print(describe())
    scratch: Path = options.out / "pictures"
    shutil.rmtree(scratch, ignore_errors=True)
    say("laying out the drawings that were held out, and clothes")
    held_out, learned = drawings.lay_out(options.drawings, scratch / "drawings", per_class=_PER_CLASS)
    clothes.lay_out(options.clothes, scratch / "clothes", per_class=_PER_CLASS)
    print(f"drawings: {held_out} of whole classes were held out; the weights learned from {learned} others")
    for run in runs(_PHOTOS, scratch / "drawings", scratch / "clothes"):
        if options.only in run.name:
            _show(run, options.out / run.name.replace(" ", "-"))


def _show(run: Run, target: Path) -> None:
    schemes = [part for scheme in run.schemes for part in ("--schemes", scheme)]
    arguments = ["evaluate", "--data", str(run.data), *run.options, *schemes, "--out", str(target)]
    print(f"\n## {run.name}\n\n    afterimage {shlex.join(arguments)}\n", flush=True)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", *arguments, "--json"], stdout=subprocess.PIPE, check=True
    )
    results = json.loads(done.stdout)
    rows = results.pop("schemes")
    differences = results.pop("differences")
    _table([{name: value for name, value in row.items() if name != "transforms"} for row in rows])
    if "transforms" in rows[0]:
        print("\nrecall@1 of each transform:\n")
        _table([{"scheme": row["scheme"], **_recall(row["transforms"])} for row in rows])
    print(f"\n{', '.join(f'{name}: {count}' for name, count in results.items())}\n")
    for sentence in differences:
        print(f"- {sentence}")
    say(f"{run.name}: {time.perf_counter() - began:.0f} s; the report is {target / 'report.html'}")


def _recall(transforms: dict[str, dict[str, float]]) -> dict[str, float]:
    return {name: measures["recall@1"] for name, measures in transforms.items()}


def _table(rows: list[dict[str, Any]]) -> None:
    print(f"| {' | '.join(rows[0])} |")
    print(f"| --- |{' ---: |' * (len(rows[0]) - 1)}")
    for row in rows:
        print(f"| {' | '.join(_cell(name, value) for name, value in row.items())} |")


def _cell(name: str, value: str | float) -> str:
    if isinstance(value, str):
        return f"`{value}`"
    return str(value) if name == "bytes" else f"{value:.1f}" if name == "ms" else f"{value:.3f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drawings", type=Path, required=True, help="the folder of openclipart-png")
    parser.add_argument("--clothes", type=Path, required=True, help="the folder of dataset-fashion-mnist")
    parser.add_argument("--out", type=Path, required=True, help="where pictures and reports go")
    parser.add_argument("--only", default="", help="only the tables with this in their names")
    return parser.parse_args()


if __name__ == "__main__":
    main()
