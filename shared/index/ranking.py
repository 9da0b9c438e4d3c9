"""The best rows of a segment for a query: those that are wanted, and all that score like the last of them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.index.filters.column import Mask
from shared.index.vectors import Codes, VectorFormat

Scores = npt.NDArray[np.float32]
RowNumbers = npt.NDArray[np.int64]


class Ranking(NamedTuple):
    """Best first; equal scores in no order.

    scores: similarities, float32 (found,). rows: int64 (found,). compared: how many rows with the query; walked: by a
    walk in a graph, where it is not a scan of all.
    """

    scores: Scores
    rows: RowNumbers
    compared: int
    walked: bool


class Places(NamedTuple):
    """Where a kernel writes the best rows of each query, best first.

    scores, rows: (queries, limit). counts: how many there are; compared: how many rows were, int64 (queries,).
    """

    scores: Scores
    rows: RowNumbers
    counts: RowNumbers
    compared: RowNumbers

    @classmethod
    def empty(cls, queries: int, limit: int) -> "Places":
        return cls(
            np.empty((queries, limit), np.float32),
            np.empty((queries, limit), np.int64),
            np.empty(queries, np.int64),
            np.empty(queries, np.int64),
        )

    def rankings(self, k: int, *, walked: bool) -> list[Ranking] | None:
        """Read the best `k` and, because among equals the id decides, whatever scores like the last of them.

        None where for some query there may be more that do than there are places.
        """
        rankings = []
        limit = self.scores.shape[1]
        numbers = (self.counts.tolist(), self.compared.tolist())
        for scores, rows, count, compared in zip(self.scores, self.rows, *numbers, strict=True):
            kept = min(k, count)
            while kept < count and scores[kept] == scores[kept - 1]:
                kept += 1
            if kept == limit:
                return None
            rankings.append(Ranking(scores[:kept], rows[:kept], compared, walked))
        return rankings


def rank_codes(
    codes: Codes,
    queries: Codes,
    k: int,
    vector_format: VectorFormat,
    allowed: Mask,
    *,
    scales: Scores | None = None,
) -> list[Ranking]:
    """Rank all rows that are allowed for each query, exactly.

    Returns for each the best `k` and whatever scores like the last of them; fewer only where there are fewer. Two codes
    score the same in whatever company they are compared. scales: what the format makes of these codes, where that was
    done before, float32 (rows,).
    """
    from shared.index.kernels.scan import rank_all  # noqa: PLC0415 - Numba: whoever only builds or folds needs none

    mine, theirs = vector_format.kernel_view(codes), vector_format.kernel_queries(queries)
    scales = (vector_format.scales_of(codes) if scales is None else scales).view()
    scales.flags.writeable = False  # a kernel is compiled anew for arrays that may be written
    limit = k + 1
    while True:
        places = Places.empty(len(queries), limit)
        rank_all(mine, scales, allowed, theirs, vector_format.kernel_metric, *places)
        rankings = places.rankings(k, walked=False)
        if rankings is not None:
            return rankings
        limit *= 2
