"""Which sealed segments are written anew together with rows that are about to be sealed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_DEAD = 0.2
"""A segment with this share of dead rows is written anew: they take room, and searches step over them."""
MAX_MERGED_ROWS = 500_000
"""Segments are not merged beyond this size: building it takes minutes, in which what is new waits to be sealed."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How full a segment is. rows: all that it was sealed with. live: those that are current."""

    name: str
    rows: int
    live: int

    @property
    def decayed(self) -> bool:
        """Whether it has so many dead rows that it is worth writing anew."""
        return self.live <= (1 - MOST_DEAD) * self.rows


def to_merge(new_rows: int, segments: Iterable[Occupancy], *, max_rows: int = MAX_MERGED_ROWS) -> Sequence[str]:
    """Return the names of the segments whose live rows go into one with the new ones.

    The smallest first, as long as each is no larger than all before it together: so a row is written anew about once
    each time the shard doubles, and n rows are in about log n segments. Besides, whatever has too many dead rows.
    """
    chosen, total = [], new_rows
    for segment in sorted(segments, key=lambda segment: (segment.live, segment.name)):
        if segment.decayed or (segment.live <= total and total + segment.live <= max_rows):
            chosen.append(segment.name)
            total += segment.live
    return chosen


def to_merge_into_one(new_rows: int, segments: Iterable[Occupancy]) -> Sequence[str]:
    """Return the names of the segments that go into one with the new rows, so that it is all there is, and full.

    None where that is so already. However large it becomes: whoever asks for this wants to have one graph searched,
    where merging by itself would stop at several, and knows that it takes its time.
    """
    every = list(segments)
    if new_rows == 0 and len(every) == 1 and every[0].live == every[0].rows:
        return []
    return [segment.name for segment in every]
