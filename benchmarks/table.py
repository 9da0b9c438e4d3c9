"""What was measured, as a table for people and as ratios for machines."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

_COLUMNS = ("n", "min", "median", "p99", "max")
_LEAST_FOR_P99 = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One thing, measured several times. note: what a reader must know beside its name."""

    name: str
    values: Sequence[float]
    note: str = ""

    @property
    def p50(self) -> float:
        return float(np.percentile(self.values, 50))

    @property
    def p99(self) -> float:
        return float(np.percentile(self.values, 99))

    def cells(self) -> list[str]:
        p99 = f"{self.p99:.2f}" if len(self.values) >= _LEAST_FOR_P99 else "-"
        return [
            str(len(self.values)),
            f"{min(self.values):.2f}",
            f"{self.p50:.2f}",
            p99,
            f"{max(self.values):.2f}",
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the benchmark. ratios: by name; those are what may be compared between machines."""

    title: str
    unit: str
    rows: Sequence[Measured]
    ratios: dict[str, float]
    notes: Sequence[str] = field(default_factory=list)

    def show(self) -> None:
        print(f"\n{self.title} [{self.unit}]")
        width = max((len(row.name) for row in self.rows), default=0)
        print(f"  {'':{width}}  " + "".join(f"{column:>11}" for column in _COLUMNS))
        for row in self.rows:
            print(f"  {row.name:{width}}  " + "".join(f"{cell:>11}" for cell in row.cells()) + f"  {row.note}".rstrip())
        for name, value in self.ratios.items():
            print(f"  {name} = {value:.3f}")
        for note in self.notes:
            print(f"  ({note})")
        sys.stdout.flush()


def counted(what: str, count: int) -> Iterator[int]:
    """Count from 0 to `count`, and say on standard error how far it is."""
    for number in range(count):
        if number % max(1, count // 4) == 0:
            print(f"... {what}: {number} of {count}", file=sys.stderr, flush=True)
        yield number


def say(text: str) -> None:
    print(f"... {text}", file=sys.stderr, flush=True)


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios, where both were measured in the same rounds."""
    return float(np.median([mine / other for mine, other in zip(ours, theirs, strict=True)]))
