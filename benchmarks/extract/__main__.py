"""Run the benchmark of the extractor: ``python -m benchmarks.extract``. The last line is JSON with the ratios."""

import os

# Read once by OpenMP when torch is imported: threads that spin while they wait starve the others on busy cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.extract import report
from benchmarks.extract.lineup import PIPELINE, open_lineup, topics
from benchmarks.extract.pictures import Pictures, large_jpegs, small_webps
from benchmarks.extract.plan import Plan, full, quick
from benchmarks.extract.race import Race
from benchmarks.machine import describe
from benchmarks.stack import Stack, running_stack
from benchmarks.table import say
from shared.runtime.logging import configure_logging
from tests.harness.daemon import session_reaper

_FROZEN_MS = 1_800_000
"""A frozen worker must not lose its partitions."""


def main() -> None:
    options = _options()
    plan = (quick if options.quick else full)(options.threads)
    configure_logging(level="WARNING")
    started = time.perf_counter()
    print(describe())
    with tempfile.TemporaryDirectory(prefix="afterimage-pictures-") as folder:
        session_reaper().adopt_folder(Path(folder))
        sets = [small_webps()] if options.photos_only else [small_webps(), large_jpegs(Path(folder) / "large")]
        env = {"AFTERIMAGE_FILE_ROOTS": folder, "KAFKA_SESSION_TIMEOUT_MS": str(_FROZEN_MS)}
        with running_stack(plan.threads, topics=topics(), env=env) as (stack, broker):
            print(f"broker: {broker}")
            print(f"threads: {plan.threads} for the model, and {plan.threads} decoding processes")
            figures = asyncio.run(_run(plan, stack, sets))
    say(f"done in {time.perf_counter() - started:.0f} s")
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


async def _run(plan: Plan, stack: Stack, sets: Sequence[Pictures]) -> dict[str, float]:
    """Return the ratios, those of the first set under their plain names."""
    figures: dict[str, float] = {}
    async with AsyncExitStack() as resources:
        contenders = await open_lineup(stack, plan.threads, resources)
        for number, pictures in enumerate(sets, start=1):
            race = Race(contenders, pictures, turn_s=plan.turn_s)
            await race.run(plan.rounds)
            speed = report.speed(race.tracks, title=f"{number}. {pictures.title}")
            speed.show()
            report.memory(race.tracks, title=f"{number}. {pictures.title}: memory").show()
            figures |= {pictures.prefix + name: value for name, value in speed.ratios.items()}
            [peak] = [max(track.memory) for track in race.tracks if track.contender.label is PIPELINE]
            figures[f"{pictures.prefix}pipeline_peak_mib"] = peak
    return figures


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.extract",
        description="How fast images become features, against the bare parts and against what one would use instead.",
    )
    parser.add_argument("--quick", action="store_true", help="see that everything works (no figures worth keeping)")
    parser.add_argument("--photos-only", action="store_true", help="leave the large JPEG files out")
    parser.add_argument(
        "--threads",
        type=int,
        default=max(1, (os.cpu_count() or 1) // 2),
        help="threads for the model, and processes for decoding; the default is half of the cores (%(default)s here), "
        "because the broker, the workers' event loops and this program need the rest",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
