"""What an index must do to take part."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from benchmarks.index.workload import RowNumbers, Vectors

EFFORTS = [int(effort) for effort in np.unique(np.geomspace(10, 2000, 90).round())]
"""How many candidates a search may look at."""


@dataclass(frozen=True, slots=True)
class Label:
    """key: in the names of ratios. note: what a reader must know beside the name."""

    key: str
    name: str
    note: str = ""


class Engine(Protocol):
    """An index over row numbers, in files. Every search uses one thread.

    efforts: values for `tune`, ascending: what finds more takes longer.
    """

    label: Label
    efforts: list[int]

    def build(self, vectors: Vectors, folder: Path) -> None:
        """Write an index over unit vectors, (rows, dimensions), to a folder."""

    def open(self, folder: Path) -> None: ...

    def tune(self, effort: int) -> None: ...

    def form(self, queries: Vectors) -> Any:
        """Queries in the form that this index compares: what encodes an image also makes its code."""

    def nearest(self, query: Any, k: int) -> RowNumbers:
        """The `k` nearest rows to one of the formed queries, (k,), best first."""

    def nearest_all(self, queries: Any, k: int) -> RowNumbers:
        """The same for many of them in one call, (queries, k)."""


@runtime_checkable
class Inserting(Protocol):
    """An index that takes more vectors once it is open."""

    def insert(self, vectors: Any) -> None:
        """Add formed vectors, with one thread."""
