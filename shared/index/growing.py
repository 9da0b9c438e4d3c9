"""The growing segment: a dense array of codes, searched exactly. A row is searchable as soon as it is put."""

import numpy as np
import numpy.typing as npt
from usearch.index import search as usearch_search

from shared.index.segment import Match, Row
from shared.index.vectors import VectorFormat

_FIRST_CAPACITY = 256


class GrowingSegment:
    """Implements Segment, and takes changes.

    The rows stay dense: an upsert of a known id overwrites its row, a delete moves the last row into the gap. So an
    exact search never meets a dead row, and memory follows the number of live ones.
    """

    def __init__(self, vector_format: VectorFormat) -> None:
        self._format = vector_format
        self._codes: npt.NDArray[np.uint8] = np.empty((0, 0), np.uint8)
        self._rows: list[Row] = []
        self._index: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._index

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
        return self._rows[self._index[image_id]]

    def code(self, image_id: str) -> bytes:
        """Raises KeyError."""
        return bytes(self._codes[self._index[image_id]])

    def put(self, row: Row, code: bytes) -> None:
        """Add a row, or replace the one of the same id. `code` must be as long as those before."""
        at = self._index.get(row.id)
        if at is None:
            at = len(self._rows)
            self._make_room(at, len(code))
            self._rows.append(row)
            self._index[row.id] = at
        else:
            self._rows[at] = row
        self._codes[at] = np.frombuffer(code, np.uint8)

    def remove(self, image_id: str) -> None:
        """Raises KeyError."""
        at = self._index.pop(image_id)
        last = len(self._rows) - 1
        if at != last:
            moved = self._rows[last]
            self._rows[at] = moved
            self._codes[at] = self._codes[last]
            self._index[moved.id] = at
        self._rows.pop()

    def search(self, query: npt.NDArray[np.uint8], k: int) -> list[Match]:
        count = min(k, len(self._rows))
        if count == 0:
            return []
        dataset = self._format.view(self._codes[: len(self._rows)])
        found = usearch_search(
            dataset, self._format.view(query[np.newaxis])[0], count, self._format.kind, exact=True, threads=1
        )
        scores = self._format.scores(np.asarray(found.distances))
        return [Match(float(score), self._rows[int(key)]) for score, key in zip(scores, found.keys, strict=True)]

    def _make_room(self, rows: int, code_bytes: int) -> None:
        if rows < len(self._codes):
            return
        grown = np.empty((max(_FIRST_CAPACITY, 2 * rows), code_bytes), np.uint8)
        grown[:rows] = self._codes[:rows] if rows else 0
        self._codes = grown
