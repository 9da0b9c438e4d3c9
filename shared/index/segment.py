"""What a segment is: rows that can be searched, and what is known of each."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from shared.events.images import Attributes, SourcePosition

if TYPE_CHECKING:
    from shared.index.filters.condition import Condition
    from shared.index.ranking import Ranking
    from shared.index.vectors import Codes


class Row(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What the index knows of one image, next to its code. Times are Unix milliseconds.

    offset: of the operation that put it, which no other row of the shard shares. A row is as old as the image, and that
    is no younger than its upload: the date is `occurred_at`, or `uploaded_at` where that is earlier or the only one.
    """

    id: str
    offset: int
    source: SourcePosition
    uploaded_at: int
    occurred_at: int | None
    uri: str | None
    attributes: Attributes


class Match(msgspec.Struct, frozen=True, gc=False):
    """A row that was found; score: similarity, larger is nearer."""

    score: float
    row: Row


class SegmentSearched(NamedTuple):
    """What a query took in a segment. name: empty for the growing one. walked: in its graph, not in a scan of it.

    compared: rows with the query. By a scan those that the condition holds for; by a walk those on its way.
    """

    name: str
    rows: int
    walked: bool
    compared: int


class Segment(Protocol):
    """A part of a shard. Not thread-safe: a shard is used from one thread at a time.

    An id has at most one live row in a shard; of the others a segment says nothing.
    """

    def __len__(self) -> int:
        """Count the live rows."""

    def find(self, image_id: str) -> int | None:
        """Return the number of the live row of that id; None where there is none."""

    @property
    def memory_bytes(self) -> int:
        """What its codes, or its mapped files, occupy."""

    @property
    def dead_rows(self) -> int:
        """Rows that still take room here, and are not current."""

    def row_at(self, number: int) -> Row:
        """Return the row of that number, dead or alive."""

    def code_at(self, number: int) -> bytes:
        """Return its code."""

    def remove_at(self, number: int) -> None:
        """Mark the live row of that number dead: the numbers of others may change."""

    def older_than(self, moment_ms: float, limit: int) -> list[Row]:
        """Return live rows of before a moment, by the date that `Row` tells of: as many as there are up to `limit`."""

    def live_offsets(self) -> npt.NDArray[np.int64]:
        """Return the offsets of the live rows, ascending."""

    def nearest(
        self,
        queries: "Codes",
        k: int,
        condition: "Condition | None" = None,
        *,
        exact: bool = False,
        effort: int | None = None,
    ) -> list["Ranking"]:
        """Find for each query the `k` live rows nearest to it that the condition holds for, by their numbers.

        And whatever scores like the last of them; fewer only where there are fewer such rows. queries: uint8 (queries,
        bytes per code). exact: compare with all, where about the nearest would be found otherwise. effort: as of a
        query.
        """
