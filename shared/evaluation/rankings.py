"""Whole rankings, as the index scores them, of as many queries at a time as there is room for."""

from collections.abc import Iterator

import numpy as np

from shared.index.ranking import Ranking, rank_codes
from shared.index.vectors import Codes, VectorFormat

SHOWN = 10
"""How many of those found are kept of each query."""
_AT_ONCE = 256


def whole_rankings(codes: Codes, queries: Codes, vector_format: VectorFormat) -> Iterator[Ranking]:
    """Rank all codes for each query, best first, equal scores in the order of the rows.

    codes: uint8 (rows, bytes), as they are stored. queries: uint8 (queries, query bytes).
    """
    every = np.ones(len(codes), np.bool_)
    for first in range(0, len(queries), _AT_ONCE):
        some = np.ascontiguousarray(queries[first : first + _AT_ONCE])
        for ranking in rank_codes(codes, some, len(codes), vector_format, every):
            order = np.lexsort((ranking.rows, -ranking.scores))
            yield ranking._replace(scores=ranking.scores[order], rows=ranking.rows[order])
