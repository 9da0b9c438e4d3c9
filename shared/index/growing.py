"""The growing segment: rows are appended, and searched exactly. A row is searchable as soon as it is put."""

import numpy as np
import numpy.typing as npt

from shared.index.filters.column import Mask
from shared.index.filters.condition import Condition
from shared.index.filters.table import FieldTable
from shared.index.ranking import Ranking, rank_codes
from shared.index.segment import Row
from shared.index.vectors import Codes, VectorFormat

_FIRST_CAPACITY = 256
_MOST_DEAD = 0.2
"""When more than this share of the rows is dead, those alive are written anew."""
_WORTH_REWRITING = 0.1


class GrowingSegment:
    """Implements Segment, and takes changes.

    A row never changes: an upsert of a known id appends a row and marks the former one dead, a delete only marks it.
    """

    def __init__(self, vector_format: VectorFormat) -> None:
        self._format = vector_format
        self._codes: Codes = np.empty((0, 0), np.uint8)
        self._live: Mask = np.zeros(0, np.bool_)
        self._scales = np.empty(0, np.float32)
        self._begin()

    def __len__(self) -> int:
        return len(self._row_of)

    @property
    def memory_bytes(self) -> int:
        """What the codes occupy, spare capacity included."""
        return self._codes.nbytes

    @property
    def dead_rows(self) -> int:
        return len(self._rows) - len(self)

    def find(self, image_id: str) -> int | None:
        return self._row_of.get(image_id)

    def row_at(self, number: int) -> Row:
        return self._rows[number]

    def code_at(self, number: int) -> bytes:
        return bytes(self._codes[number])

    def put(self, row: Row, code: bytes) -> None:
        """Add a row, or replace the one of the same id. `code` must be as long as those of the live rows."""
        if (known := self._row_of.get(row.id)) is not None:
            self.remove_at(known)
        self._make_room(len(code))
        number = len(self._rows)
        self._codes[number] = np.frombuffer(code, np.uint8)
        if self._format.quantizes:
            self._scales[number] = self._format.scales_of(self._codes[number : number + 1])[0]
        self._append(row)

    def remove_at(self, number: int) -> None:
        del self._row_of[self._rows[number].id]
        self._live[number] = False
        if self.dead_rows > max(_FIRST_CAPACITY, _MOST_DEAD * len(self._rows)):
            self._rewrite()

    def older_than(self, moment_ms: float, limit: int) -> list[Row]:
        if not self._row_of:
            return []
        dates = np.fmin(self._fields.times("@occurred_at"), self._fields.times("@uploaded_at"))
        numbers = np.flatnonzero(self._live[: len(dates)] & (dates < moment_ms))
        return [self._rows[number] for number in numbers[:limit].tolist()]

    def live_offsets(self) -> npt.NDArray[np.int64]:
        return np.fromiter((self._rows[number].offset for number in self._live_numbers()), np.int64, len(self))

    def live_rows(self) -> tuple[list[Row], Codes]:
        """Return the live rows and a copy of their codes, in the order of their offsets."""
        numbers = self._live_numbers()
        return [self._rows[number] for number in numbers], self._codes[numbers]

    def remove_all(self, offsets: npt.NDArray[np.int64]) -> None:
        """Let go of the live rows with these offsets, and of all dead ones."""
        numbers = self._live_numbers()
        gone = numbers[np.isin(self.live_offsets(), offsets, assume_unique=True)]
        if len(gone) or self.dead_rows:
            self._live[gone] = False
            self._rewrite()

    def nearest(
        self,
        queries: Codes,
        k: int,
        condition: Condition | None = None,
        *,
        exact: bool = True,  # noqa: ARG002 - it is
        effort: int | None = None,  # noqa: ARG002 - it takes all that there is
    ) -> list[Ranking]:
        rows = len(self._rows)
        allowed = self._live[:rows] if condition is None else self._live[:rows] & self._fields.mask(condition)
        return rank_codes(self._codes[:rows], queries, k, self._format, allowed, scales=self._scales[:rows])

    def _live_numbers(self) -> npt.NDArray[np.intp]:
        return np.flatnonzero(self._live)

    def _begin(self) -> None:
        self._rows: list[Row] = []
        self._row_of: dict[str, int] = {}
        self._fields = FieldTable(self._rows, self._row_of)

    def _append(self, row: Row) -> None:
        number = len(self._rows)
        self._rows.append(row)
        self._row_of[row.id] = number
        self._live[number] = True
        self._fields.append(number, row)

    def _rewrite(self) -> None:
        """Let go of the dead rows."""
        kept = self._live_numbers()
        rows = [self._rows[number] for number in kept.tolist()]
        row_of = {row.id: number for number, row in enumerate(rows)}
        self._fields = self._fields.kept(kept, rows, row_of)
        self._rows, self._row_of = rows, row_of  # new ones: another thread may be counting the rows in the old
        self._codes[: len(kept)] = self._codes[kept]
        self._scales[: len(kept)] = self._scales[kept]
        self._live[: len(kept)] = True
        self._live[len(kept) :] = False

    def _make_room(self, code_bytes: int) -> None:
        """See to it that one more row fits; by letting go of dead ones, where that gains enough."""
        if self._codes.shape[1] != code_bytes:  # so there are no others
            self._codes, self._live = np.empty((0, code_bytes), np.uint8), np.zeros(0, np.bool_)
            self._scales = np.empty(0, np.float32)
            self._begin()
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
        self._scales = np.concatenate([self._scales, np.zeros(capacity - len(self._scales), np.float32)])
