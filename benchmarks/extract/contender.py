"""Whoever turns image files into features, or does a part of that."""

from dataclasses import dataclass
from typing import Protocol

from benchmarks.extract.pictures import Pictures
from tests.harness.daemon import Daemon


@dataclass(frozen=True, slots=True)
class Label:
    """What a contender is called. key: in the names of ratios. note: what a reader must know beside the name."""

    key: str
    name: str
    note: str = ""


class Contender(Protocol):
    """One row of the table. It works in processes of its own, the daemon's group, so that their memory can be told."""

    label: Label
    daemon: Daemon

    async def seconds(self, pictures: Pictures) -> float:
        """Take all files, and return how long that took, without what only the measurement needs."""
