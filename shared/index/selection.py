"""Finding the nearest of those rows of a segment that may be found, some of which are dead or do not fit a filter."""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from shared.index.filters.column import Mask

Scores = npt.NDArray[np.float32]
RowNumbers = npt.NDArray[np.intp]


class Searchable(Protocol):
    """The two ways to search a segment."""

    def nearest_of_all(self, query: npt.NDArray[np.uint8], k: int) -> tuple[Scores, RowNumbers]:
        """Return the scores and numbers of the `k` nearest rows, dead ones among them, best first."""

    def nearest_among(self, chosen: RowNumbers, query: npt.NDArray[np.uint8], k: int) -> tuple[Scores, RowNumbers]:
        """Return the same of the chosen rows alone, exactly."""

    def better_alone(self, count: int, reach: int) -> bool:
        """Whether comparing `count` chosen rows costs less than finding the `reach` nearest of all."""


def nearest_allowed(
    segment: Searchable, allowed: Mask, query: npt.NDArray[np.uint8], k: int
) -> tuple[Scores, RowNumbers]:
    """Return the scores and numbers of the `k` nearest rows that are allowed, best first.

    There are fewer only where fewer are allowed. More than are wanted are taken of all, as many as should do when the
    allowed lie evenly, then twice as many, until it is cheaper to compare with the allowed alone.
    """
    rows, count = len(allowed), int(np.count_nonzero(allowed))
    wanted = min(k, count)
    if wanted == 0:
        return np.empty(0, np.float32), np.empty(0, np.intp)
    reach = wanted if count == rows else min(rows, 8 + int(1.5 * wanted * rows / count))
    while not segment.better_alone(count, reach):
        scores, found = segment.nearest_of_all(query, reach)
        fits = allowed[found]
        if np.count_nonzero(fits) >= wanted:
            return scores[fits][:wanted], found[fits][:wanted]
        reach = min(rows, 2 * reach)
    return segment.nearest_among(np.flatnonzero(allowed), query, wanted)
