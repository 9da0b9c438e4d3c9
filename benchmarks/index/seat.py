"""One index in a process of its own, that answers queries and says what it took."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.index.engines.engine import Engine, Inserting, Label
from benchmarks.index.lineup import LINEUP
from benchmarks.index.timing import Rate, Timer
from benchmarks.index.workload import K, Workload
from benchmarks.memory import resident_bytes

_WARM_UP_ROWS = 400
_WARM_UP_DIMENSIONS = 8


class Seat:
    """Lives in a child: see `apart.Apart`."""

    def __init__(self, name: str, folder: Path, workload: Path) -> None:
        self._engine = LINEUP[name].make()
        self._workload = Workload.load(workload)
        queries = np.array(self._workload.queries)
        _warm_up(LINEUP[name].make())
        before = resident_bytes(os.getpid())
        self._engine.open(folder)
        self._queries = self._engine.form(queries)
        self._engine.nearest_all(self._queries, K)
        self._grown = resident_bytes(os.getpid()) - before
        self._on_disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

    def label(self) -> Label:
        return self._engine.label

    def efforts(self) -> list[int]:
        return self._engine.efforts

    def rows(self) -> int:
        return len(self._workload.base)

    def bytes_in_memory(self) -> int:
        """What the process grew by when it opened the index and answered all queries."""
        return self._grown

    def bytes_on_disk(self) -> int:
        return self._on_disk

    def recall(self, effort: int) -> float:
        self._engine.tune(effort)
        return self._workload.recall(self._engine.nearest_all(self._queries, K))

    def inserted(self, count: int) -> Rate:
        """The rate of adding so many vectors: the queries, which are like those in the index."""
        engine = self._engine
        assert isinstance(engine, Inserting)
        queries = self._queries[:count]
        return _rate(count, lambda: engine.insert(queries))

    def singly(self, effort: int, count: int) -> Rate:
        """The rate of so many queries, one by one."""
        self._engine.tune(effort)
        nearest, queries = self._engine.nearest, self._queries[:count]

        def search() -> None:
            for query in queries:
                nearest(query, K)

        return _rate(count, search)

    def together(self, effort: int, count: int) -> Rate:
        """The rate of so many queries in one call."""
        self._engine.tune(effort)
        queries = self._queries[:count]
        return _rate(count, lambda: self._engine.nearest_all(queries, K))


def _warm_up(engine: Engine) -> None:
    """Have everything loaded that an index needs, so that what it grows by is its own."""
    vectors = np.random.default_rng(0).standard_normal((_WARM_UP_ROWS, _WARM_UP_DIMENSIONS), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        engine.build(vectors, Path(folder))
        engine.open(Path(folder))
        engine.nearest_all(engine.form(vectors[:2]), K)


def _rate(count: int, search: Callable[[], object]) -> Rate:
    with Timer() as timer:
        search()
    return timer.rate(count)
