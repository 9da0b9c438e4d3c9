"""The best rows of a segment for a query: those that are wanted, and all that score like the last of them."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shared.index.filters.column import Mask
from shared.index.kernels.scan import rank_all, rank_some
from shared.index.vectors import Codes, VectorFormat

Scores = npt.NDArray[np.float32]
RowNumbers = npt.NDArray[np.int64]


class Ranking(NamedTuple):
    """Best first; equal scores by row number.

    scores: similarities, float32 (found,). rows: int64 (found,).
    """

    scores: Scores
    rows: RowNumbers

    @classmethod
    def empty(cls) -> "Ranking":
        return cls(np.empty(0, np.float32), np.empty(0, np.int64))


class Chosen(NamedTuple):
    """Rows to be compared with each query. rows: int64 (queries, at most). counts: how many are, int64 (queries,)."""

    rows: RowNumbers
    counts: RowNumbers


def rank_codes(
    codes: Codes, queries: Codes, k: int, vector_format: VectorFormat, among: Mask | Chosen
) -> list[Ranking]:
    """Rank the codes for each query exactly: all that the mask allows, or those chosen for it.

    Returns for each the best `k` and, because among equals the id decides, whatever scores like the last of them; fewer
    only where there are fewer. Two codes score the same in whatever company they are compared.
    """
    rankings: list[Ranking] = []
    limit = k + 1
    while True:
        scores, rows, counts = _rank(codes, queries[len(rankings) :], limit, vector_format, among, len(rankings))
        for number, count in enumerate(counts.tolist()):
            if count == limit and scores[number, k - 1] == scores[number, limit - 1]:
                break  # there may be more that score like the last
            kept = _with_equals(scores[number, :count], k)
            rankings.append(Ranking(scores[number, :kept].copy(), rows[number, :kept].copy()))
        else:
            return rankings
        limit *= 2


def _rank(
    codes: Codes, queries: Codes, limit: int, vector_format: VectorFormat, among: Mask | Chosen, done: int
) -> tuple[Scores, RowNumbers, RowNumbers]:
    scores = np.empty((len(queries), limit), np.float32)
    rows = np.empty((len(queries), limit), np.int64)
    counts = np.empty(len(queries), np.int64)
    mine, theirs = vector_format.kernel_view(codes), vector_format.kernel_view(queries)
    if isinstance(among, Chosen):
        chosen, chosen_counts = among.rows[done:], among.counts[done:]
        rank_some(mine, chosen, chosen_counts, theirs, vector_format.kernel_metric, scores, rows, counts)
    else:
        rank_all(mine, among, theirs, vector_format.kernel_metric, scores, rows, counts)
    return scores, rows, counts


def _with_equals(scores: Scores, k: int) -> int:
    """How many are the best `k` and those that score like the last of them."""
    count = min(k, len(scores))
    while count < len(scores) and scores[count] == scores[count - 1]:
        count += 1
    return count
