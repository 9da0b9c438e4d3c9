"""A sealed segment: a graph and rows that never change, and a mask of those that are still current."""

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from shared.index.filters.column import Mask
from shared.index.filters.condition import Condition
from shared.index.filters.fields import mask_of
from shared.index.ranking import Ranking, rank_codes
from shared.index.sealed import fields, graph, ids, rows
from shared.index.sealed.description import CorruptSegment, SegmentDescription, verify
from shared.index.sealed.way import Way
from shared.index.segment import Row
from shared.index.vectors import Codes

EXPANSION_SEARCH = 384
"""Candidates that a search of the graph keeps in view: more find more of the nearest, and take longer.

So many that under the benchmark's churn never fewer than 99 in 100 of the ten nearest codes were found, of vectors that
lie close together: docs/benchmarks.md."""
_KEPT_MASKS = 8
"""Filters whose rows are remembered, a byte a row: many queries have one in common, such as a shop's own images."""


class SealedSegment:
    """Implements Segment over files that were verified."""

    def __init__(self, folder: Path, description: SegmentDescription, *, expansion: int = EXPANSION_SEARCH) -> None:
        """Raises ValueError where a file is of another layout than this release reads."""
        self.description = description
        self._expansion = expansion
        self._way = Way(description.rows)
        self._graph = graph.Graph(
            folder, description.vector_format, rows=description.rows, code_bytes=description.code_bytes
        )
        self._rows = rows.RowFile(folder / rows.FILE)
        self._ids = ids.IdFile(folder / ids.FILE, self._rows)
        self._fields = fields.FieldFile(folder / fields.FILE, self._rows, self._ids)
        self._mask = lru_cache(_KEPT_MASKS)(partial(mask_of, fields=self._fields))
        self._live: Mask = np.ones(description.rows, np.bool_)
        self._count = description.rows
        self._oldest_at = -np.inf
        """No live row is older. Rows only die, so it stays true, and while it is young enough nothing is looked at."""

    @classmethod
    def open(cls, folder: Path, description: SegmentDescription, *, expansion: int = EXPANSION_SEARCH) -> Self:
        """Verify the files in `folder`, and only then open them; all rows are live. Raises CorruptSegment.

        Reads everything once.
        """
        verify(folder, description)
        try:
            return cls(folder, description, expansion=expansion)
        except ValueError as error:
            raise CorruptSegment(f"the segment {description.name} cannot be opened: {error}") from error

    def __len__(self) -> int:
        return self._count

    @property
    def name(self) -> str:
        return self.description.name

    @property
    def memory_bytes(self) -> int:
        return self.description.bytes

    @property
    def dead_rows(self) -> int:
        return self.description.rows - self._count

    @property
    def live(self) -> Mask:
        """Which rows are current, as a copy: bool, (rows,)."""
        return self._live.copy()

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Of all rows, ascending."""
        return self._rows.offsets

    @property
    def newest_upload_at(self) -> int:
        """Of all rows, in Unix milliseconds."""
        return int(self._rows.times("uploaded_at").max())

    def older_than(self, moment_ms: float, limit: int) -> list[Row]:
        if moment_ms <= self._oldest_at:
            return []
        dates = np.where(self._live, self._dates(), np.inf)
        self._oldest_at = float(dates.min())
        return [self._rows[number] for number in np.flatnonzero(dates < moment_ms)[:limit].tolist()]

    def live_offsets(self) -> npt.NDArray[np.int64]:
        return self._rows.offsets[self._live]

    def set_live(self, live: Mask) -> None:
        """Say anew which rows are current."""
        self._live = live.copy()
        self._count = int(np.count_nonzero(live))
        self._oldest_at = -np.inf

    def find(self, image_id: str) -> int | None:
        number = self._ids.find(image_id)
        return number if number is not None and self._live[number] else None

    def row_at(self, number: int) -> Row:
        return self._rows[number]

    def code_at(self, number: int) -> bytes:
        return bytes(self._graph.codes[number])

    def remove_at(self, number: int) -> None:
        self._live[number] = False
        self._count -= 1

    def live_rows(self) -> tuple[list[Row], Codes]:
        """Return the live rows and a copy of their codes, in the order of their offsets."""
        numbers = np.flatnonzero(self._live)
        return [self._rows[number] for number in numbers.tolist()], self._graph.codes[numbers]

    def nearest(
        self,
        queries: Codes,
        k: int,
        condition: Condition | None = None,
        *,
        exact: bool = False,
        effort: int | None = None,
    ) -> list[Ranking]:
        expansion = self._expansion if effort is None else effort
        allowed, count = self._allowed(condition)
        limit = k + 1
        while not exact:
            candidates = max(expansion, limit)
            if not self._way.walk_pays(candidates, count):
                self._way.scanned(candidates, count)
                break
            places = self._graph.search(queries, limit, allowed, expansion=candidates, budget=self._way.budget(count))
            if places is None:
                self._way.given_up(candidates, count)
                break
            self._way.walked(candidates, count, float(places.compared.mean()))
            if min(places.counts.tolist()) < min(k, count):
                break
            rankings = places.rankings(k, walked=True)
            if rankings is not None:
                return rankings
            limit *= 2
        return rank_codes(self._graph.codes, queries, k, self._graph.format, allowed, scales=self._graph.scales)

    def scan_later(self, queries: Codes, k: int, condition: Condition | None = None) -> Callable[[], list[Ranking]]:
        """Return what finds the nearest of the rows that are live now by comparing all: in any thread, at any time."""
        allowed, _ = self._allowed(condition)
        codes, scales = self._graph.codes, self._graph.scales
        return partial(rank_codes, codes, queries, k, self._graph.format, allowed.copy(), scales=scales)

    def _allowed(self, condition: Condition | None) -> tuple[Mask, int]:
        """Which rows may be found, and how many they are. To look at."""
        if condition is None:
            return self._live, self._count
        allowed = self._live & self._mask(condition)
        return allowed, int(np.count_nonzero(allowed))

    def _dates(self) -> npt.NDArray[np.float64]:
        """How old each row is, as `Row` has it, in Unix milliseconds."""
        return np.fmin(self._rows.times("occurred_at"), self._rows.times("uploaded_at"))
