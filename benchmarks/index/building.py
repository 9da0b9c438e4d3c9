"""Indexes in files, built once for all parts."""

from pathlib import Path

from benchmarks.index.apart import apart
from benchmarks.index.cache import Cache
from benchmarks.index.lineup import LINEUP
from benchmarks.index.workload import Workload


def built(name: str, cache: Cache, workload: Path) -> Path:
    """The folder of an index over a workload's vectors."""
    made_from = f"{LINEUP[name].recipe()} {workload.name}"
    return cache.folder(f"{workload.name}-{name}", made_from, lambda place: apart(_build, name, workload, place))


def _build(name: str, workload: Path, folder: Path) -> None:
    LINEUP[name].make().build(Workload.load(workload).base, folder)
