"""Whether a graph leads to the nearest rows sooner than comparing all of them does: that is learned by walking."""

_COMPARED_PER_CANDIDATE = 12.0
"""Rows that a walk compares with the query for each candidate that it keeps in view, before it is known better."""
_SCANNED_PER_COMPARISON = 4
"""Rows that a scan compares in the time that a walk takes for one: it waits for memory."""
_LEARNED = 0.1
"""The weight of the last walk."""
_FORGOTTEN = 0.01
"""What a scan takes back of what was learned, so that a walk is tried again now and then: queries change."""
_GIVEN_UP = 1.5
"""A walk that was given up would have compared so many times as many rows, or more."""


class Way:
    """Decides for one segment, by how far its walks have gone.

    A walk that is given up costs as much as the scan after it. In a segment that is little larger than what a walk
    compares, half of them were, when all segments were judged alike.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._per_candidate = _COMPARED_PER_CANDIDATE

    def walk_pays(self, candidates: int, count: int) -> bool:
        """Whether to walk to `candidates` of the `count` rows that may be found.

        The more rows may not be found, the farther it is.
        """
        return self._pays(self._per_candidate, candidates, count)

    def budget(self, count: int) -> int:
        """How many rows a walk may compare until a scan would have been done."""
        return count // _SCANNED_PER_COMPARISON

    def walked(self, candidates: int, count: int, compared: float) -> None:
        """Learn of a walk that found what it should. compared: rows, on an average of its queries."""
        self._learn(_LEARNED, compared / candidates * count / self._rows)

    def given_up(self, candidates: int, count: int) -> None:
        """Learn of a walk that its budget did not do for."""
        self.walked(candidates, count, _GIVEN_UP * self.budget(count))

    def scanned(self, candidates: int, count: int) -> None:
        """Forget a little, where one would have walked to begin with."""
        if self._pays(_COMPARED_PER_CANDIDATE, candidates, count):
            self._learn(_FORGOTTEN, _COMPARED_PER_CANDIDATE)

    def _pays(self, per_candidate: float, candidates: int, count: int) -> bool:
        if count == 0:
            return False
        return _SCANNED_PER_COMPARISON * per_candidate * candidates * self._rows < count * count

    def _learn(self, weight: float, per_candidate: float) -> None:
        self._per_candidate += weight * (per_candidate - self._per_candidate)
