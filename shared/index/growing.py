"""The growing segment: rows are appended, and searched exactly. A row is searchable as soon as it is put."""

import numpy as np
import numpy.typing as npt
from usearch.index import search as usearch_search

from shared.index.filters.column import Mask
from shared.index.filters.condition import Condition
from shared.index.filters.table import FieldTable
from shared.index.segment import Match, Row
from shared.index.vectors import VectorFormat

_FIRST_CAPACITY = 256
_MOST_DEAD = 0.2
"""When more than this share of the rows is dead, those alive are written anew."""
_WORTH_REWRITING = 0.1
_FEW = 0.25
"""When no more than this share of the rows may be found, they are gathered first and searched alone."""


class GrowingSegment:
    """Implements Segment, and takes changes.

    A row never changes: an upsert of a known id appends a row and marks the former one dead, a delete only marks it.
    """

    def __init__(self, vector_format: VectorFormat) -> None:
        self._format = vector_format
        self._codes: npt.NDArray[np.uint8] = np.empty((0, 0), np.uint8)
        self._live: Mask = np.zeros(0, np.bool_)
        self._begin([])

    def __len__(self) -> int:
        return len(self._row_of)

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._row_of

    @property
    def code_bytes(self) -> int | None:
        """Bytes per code, once a row has set it; None before."""
        return self._codes.shape[1] or None

    @property
    def memory_bytes(self) -> int:
        """What the codes occupy, spare capacity included."""
        return self._codes.nbytes

    def row(self, image_id: str) -> Row:
        """Raises KeyError."""
        return self._rows[self._row_of[image_id]]

    def code(self, image_id: str) -> bytes:
        """Raises KeyError."""
        return bytes(self._codes[self._row_of[image_id]])

    def put(self, row: Row, code: bytes) -> None:
        """Add a row, or replace the one of the same id. `code` must be as long as those before."""
        if row.id in self._row_of:
            self.remove(row.id)
        self._make_room(len(code))
        number = len(self._rows)
        self._codes[number] = np.frombuffer(code, np.uint8)
        self._append(row)

    def remove(self, image_id: str) -> None:
        """Raises KeyError."""
        self._live[self._row_of.pop(image_id)] = False
        dead = len(self._rows) - len(self)
        if dead > max(_FIRST_CAPACITY, _MOST_DEAD * len(self._rows)):
            self._rewrite()

    def search(self, query: npt.NDArray[np.uint8], k: int, condition: Condition | None = None) -> list[Match]:
        rows = len(self._rows)
        allowed = self._live[:rows] if condition is None else self._live[:rows] & self._fields.mask(condition)
        count = int(np.count_nonzero(allowed))
        wanted = min(k, count)
        if wanted == 0:
            return []
        if count <= _FEW * rows:
            chosen = np.flatnonzero(allowed)
            scores, found = self._exact(self._codes[chosen], query, wanted)
            return self._matches(scores, chosen[found])
        reach = wanted if count == rows else min(rows, 8 + int(1.5 * wanted * rows / count))
        while True:
            scores, found = self._exact(self._codes[:rows], query, reach)
            fits = allowed[found]
            if reach == rows or np.count_nonzero(fits) >= wanted:
                return self._matches(scores[fits][:wanted], found[fits][:wanted])
            reach = min(rows, 2 * reach)

    def _exact(
        self, codes: npt.NDArray[np.uint8], query: npt.NDArray[np.uint8], k: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
        """Return the scores and the row numbers of the `k` nearest, best first."""
        vectors, target = self._format.view(codes), self._format.view(query[np.newaxis])[0]
        found = usearch_search(vectors, target, k, self._format.kind, exact=True, threads=1)
        return self._format.scores(np.asarray(found.distances)), np.asarray(found.keys).astype(np.intp)

    def _matches(self, scores: npt.NDArray[np.float32], rows: npt.NDArray[np.intp]) -> list[Match]:
        return [Match(score, self._rows[row]) for score, row in zip(scores.tolist(), rows.tolist(), strict=True)]

    def _begin(self, rows: list[Row]) -> None:
        """Start with these rows, whose codes stand in their places already."""
        self._rows: list[Row] = []
        self._row_of: dict[str, int] = {}
        self._fields = FieldTable(self._rows, self._row_of)
        self._live[:] = False
        for row in rows:
            self._append(row)

    def _append(self, row: Row) -> None:
        number = len(self._rows)
        self._rows.append(row)
        self._row_of[row.id] = number
        self._live[number] = True
        self._fields.append(number, row)

    def _rewrite(self) -> None:
        kept = np.flatnonzero(self._live)
        self._codes[: len(kept)] = self._codes[kept]
        self._begin([self._rows[number] for number in kept])

    def _make_room(self, code_bytes: int) -> None:
        """See to it that one more row fits; by letting go of dead ones, where that gains enough."""
        rows = len(self._rows)
        if rows < len(self._codes):
            return
        if rows - len(self) > _WORTH_REWRITING * rows:
            self._rewrite()
            return
        capacity = max(_FIRST_CAPACITY, 2 * rows)
        codes = np.empty((capacity, code_bytes), np.uint8)
        codes[:rows] = self._codes[:rows] if rows else 0
        self._codes = codes
        self._live = np.concatenate([self._live, np.zeros(capacity - len(self._live), np.bool_)])
