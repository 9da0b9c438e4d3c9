"""What a vector database must do to take part."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.index.workload import RowNumbers, Vectors

EFFORTS = [int(effort) for effort in np.unique(np.geomspace(10, 800, 25).round())]
"""How many candidates a search may look at: fewer steps than for bare indexes, since some must open anew for each."""


class Database(Protocol):
    """A database in a folder, by cosine, of rows that have a number and a vector. Graphs have the same parameters.

    name: with what it searches by. efforts: values for `tune`, ascending.
    """

    name: str
    efforts: list[int]

    def create(self, folder: Path, dimensions: int) -> None: ...

    def add(self, numbers: RowNumbers, vectors: Vectors) -> None:
        """Return when they can be found, if only by comparing with all."""

    def delete(self, numbers: RowNumbers) -> None: ...

    def settle(self) -> None:
        """Return when its index has everything, as fast to search as it will be."""

    def tune(self, effort: int) -> None: ...

    def form(self, queries: Vectors) -> list[Any]: ...

    def nearest(self, query: Any, k: int) -> list[int]:
        """The numbers of the `k` nearest rows."""

    def close(self) -> None: ...
