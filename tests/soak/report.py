"""What a soak says at its end: a table for people, and a line of JSON for everything else."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict

from tests.soak.course import Tally

_ROWS = {
    "faults": "faults",
    "operations": "operations acknowledged",
    "lost": "of them lost",
    "deleted_returned": "deleted images returned",
    "stale_appends": "stale appends tried",
    "stale_appends_accepted": "of them accepted",
    "flipped_bits": "bits flipped",
    "flipped_bits_accepted": "of them not noticed",
    "examples": "examples of Hypothesis",
    "longest_healing_s": "longest healing, s",
    "longest_silence_s": "longest silence until it was noticed, s",
}


def table(tally: Tally) -> Iterator[str]:
    figures = asdict(tally.figures)
    yield f"{'steps':40}{tally.steps:>12,}"
    yield f"{'of them broken':40}{len(tally.broken):>12,}"
    for name, title in _ROWS.items():
        value = figures[name]
        yield f"{title:40}{value:>12,.2f}" if isinstance(value, float) else f"{title:40}{value:>12,}"
    for name, why in sorted(tally.skipped.items()):
        yield f"skipped: {name}: {why}"
    for name, seed in tally.broken:
        yield f"broken: make soak STEP={name} SEED={seed}"


def as_json(tally: Tally, *, seed: int, seconds: float) -> str:
    figures = {name: round(value, 3) for name, value in asdict(tally.figures).items()}
    return json.dumps(
        {
            "soak": {"seed": seed, "seconds": round(seconds), "cpus": os.cpu_count()},
            "steps": tally.steps,
            "broken": [{"step": name, "seed": seed} for name, seed in tally.broken],
            "skipped": sorted(tally.skipped),
            **figures,
        }
    )
