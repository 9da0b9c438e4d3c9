"""Search: every index on the same vectors, each as fast as it can be at one recall, in turns."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np

from benchmarks.index.apart import Apart
from benchmarks.index.building import built
from benchmarks.index.cache import Cache
from benchmarks.index.engines.engine import Label
from benchmarks.index.lineup import OURS, OURS_F16, USEARCH
from benchmarks.index.plan import Plan
from benchmarks.index.seat import Seat
from benchmarks.index.sets import VectorSet, vector_sets
from benchmarks.index.timing import Rate
from benchmarks.index.tuning import least_effort
from benchmarks.table import Measured, Part, counted, median_ratio, say

RECALLS = (0.95, 0.99)
_WAYS = {"singly": "one query at a time", "together": "all queries in one call"}
_OURS = {OURS, OURS_F16}
_COMPARED_IN_MEMORY = ("usearch_i8_cos", "hnswlib")


@dataclass(slots=True)
class Track:
    """One index at one recall. effort: the least that reaches it. rates: by way of asking, one a round."""

    label: Label
    effort: int
    recall: float
    rates: dict[str, list[Rate]] = field(default_factory=lambda: {way: [] for way in _WAYS})

    def cpu(self, way: str) -> list[float]:
        return [rate.cpu for rate in self.rates[way]]

    def row(self, way: str, ours_over_it: float | None) -> Measured:
        wall = Measured(name="", values=[rate.wall for rate in self.rates[way]]).p50
        notes = [f"effort {self.effort}, recall {self.recall:.4f}, {wall:.0f}/s by the clock", self.label.note]
        if ours_over_it is not None:
            notes.insert(0, f"ours over it {ours_over_it:.3f}")
        return Measured(name=self.label.name, values=self.cpu(way), note="; ".join(filter(None, notes)))


def measure(plan: Plan, cache: Cache) -> Iterator[Part]:
    """Yield for each set of vectors a table of memory, and one for each recall and way of asking."""
    for vectors in vector_sets(plan, cache):
        with ExitStack() as stack:
            folder = vectors.folder
            seats = {
                name: stack.enter_context(Apart(Seat, name, built(name, cache, folder), folder))
                for name in plan.engines
            }
            yield from _Contest(plan, vectors, seats).parts()


class _Contest:
    """Of the indexes in their seats, on one set of vectors."""

    def __init__(self, plan: Plan, vectors: VectorSet, seats: Mapping[str, Apart]) -> None:
        self._plan = plan
        self._vectors = vectors
        self._seats = seats
        self._recalls = {name: _Recalls(seat) for name, seat in seats.items()}
        self._labels: dict[str, Label] = {name: seat.call("label") for name, seat in seats.items()}
        self._held: dict[str, float] = {}

    def parts(self) -> Iterator[Part]:
        yield self._memory()
        for least in RECALLS:
            tracks = self._tracks(least)
            for _ in counted(f"{self._vectors.title}, recall {least}: rounds", self._plan.rounds):
                for name, track in tracks.items():
                    for way in _WAYS:
                        track.rates[way].append(self._seats[name].call(way, track.effort, self._plan.queries))
            for way in _WAYS:
                yield self._speed(tracks, way, least)

    def _tracks(self, least: float) -> dict[str, Track]:
        """Those that reach a recall."""
        tracks = {}
        for name, recalls in self._recalls.items():
            say(f"{self._vectors.title}: how hard {name} must search for a recall of {least}")
            if effort := recalls.least_effort(least):
                tracks[name] = Track(self._labels[name], effort, recalls.at(effort))
        return tracks

    def _speed(self, tracks: Mapping[str, Track], way: str, least: float) -> Part:
        others = {name: track for name, track in tracks.items() if name not in _OURS}
        over = dict.fromkeys(others, 0.0)
        ours = max(tracks.keys() & _OURS, key=lambda name: np.median(tracks[name].cpu(way)), default=None)
        if ours is not None:
            over = {name: median_ratio(tracks[ours].cpu(way), track.cpu(way)) for name, track in others.items()}
        short = [self._labels[name].name for name in self._seats if name not in tracks]
        return Part(
            title=f"Search, {self._vectors.title}, recall@10 at least {least}, {_WAYS[way]}",
            unit="queries/s of processor time, one thread",
            rows=[track.row(way, over.get(name)) for name, track in tracks.items()],
            ratios=self._ratios(ours or OURS, over, f"_r{100 * least:.0f}{'_batch' if way == 'together' else ''}"),
            notes=[
                "ours over it: that of the faster of our rows, the median of the rounds' ratios",
                "usearch: the fastest of its rows; best: the fastest of all others",
                *(f"{name} does not reach this recall" for name in short),
            ],
        )

    def _ratios(self, ours: str, over: Mapping[str, float], ending: str) -> dict[str, float]:
        """usearch: its fastest. best: the fastest of all. 0 where ours does not reach the recall, and another does."""
        if not over:
            return {}
        suffix = self._vectors.suffix
        best = min(over, key=lambda name: over[name])
        ratios = {f"search_over_best{ending}{suffix}": over[best]}
        if of_usearch := [over[name] for name in USEARCH if name in over]:
            ratios[f"search_over_usearch{ending}{suffix}"] = min(of_usearch)
        return ratios | {f"memory_over_best{ending}{suffix}": self._held[ours] / self._held[best]}

    def _memory(self) -> Part:
        """The larger of resident growth and of the files: ours are mapped, and come into memory as they are needed."""
        rows = []
        for name, seat in self._seats.items():
            grown, files, count = (seat.call(of) for of in ("bytes_in_memory", "bytes_on_disk", "rows"))
            self._held[name] = max(grown, files) / count
            note = f"grew by {grown / count:.0f}, files {files / count:.0f}"
            rows.append(Measured(name=self._labels[name].name, values=[self._held[name]], note=note))
        return Part(
            title=f"Memory, {self._vectors.title}",
            unit="bytes a vector: the larger of what the process grew by and of the files, which ours maps",
            rows=rows,
            ratios={
                f"memory_over_{name}{self._vectors.suffix}": self._held[OURS] / self._held[name]
                for name in _COMPARED_IN_MEMORY
                if {name, OURS} <= self._held.keys()
            },
        )


class _Recalls:
    """Of one index, by effort."""

    def __init__(self, seat: Apart) -> None:
        self._seat = seat
        self._efforts: list[int] = seat.call("efforts")
        self._known: dict[int, float] = {}

    def at(self, effort: int) -> float:
        if effort not in self._known:
            self._known[effort] = self._seat.call("recall", effort)
        return self._known[effort]

    def least_effort(self, recall: float) -> int | None:
        """The first effort that reaches a recall; None where none does."""
        return least_effort(self._efforts, self.at, recall)
