"""Exact ranking: every score is computed."""

import numpy as np

from shared.index.kernels.best import keep
from shared.index.kernels.comparing import similarity, squared
from shared.index.kernels.compiling import compiled, compiled_leaf
from shared.index.kernels.prefetch import cache_lines, prefetch

_AHEAD = 8
"""Rows whose comparisons take about as long as memory does."""
_BLOCK_ROWS = 64
"""Few enough that all queries of a batch meet them in the first cache."""


@compiled
def rank_all(codes, scales, allowed, queries, metric, scores, rows, counts, compared):
    """Rank, for each query, all rows that are allowed. scales: as `similarity` takes them.

    Writes the best of them, best first, to scores, float32 (queries, limit), and rows, int64 (queries, limit), and how
    many there are to counts, int64 (queries,); to compared, how many were ranked.
    """
    limit = scores.shape[1]
    counts[:] = 0
    compared[:] = 0
    of_queries = np.array([squared(queries, number) for number in range(queries.shape[0])])
    block = np.empty(_BLOCK_ROWS, np.int64)
    lines = cache_lines(codes)
    next_row = 0
    while next_row < codes.shape[0]:
        size, first = 0, next_row
        while next_row < codes.shape[0] and size < _BLOCK_ROWS:
            block[size] = next_row  # without a branch, which would be guessed wrong half of the time
            size += np.int64(allowed[next_row])
            next_row += 1
        if next_row - first > size:  # the processor foresees only what has no gaps
            for place in range(size):
                prefetch(codes, block[place], lines)
        for number in range(queries.shape[0]):
            query, best_scores, best_rows = queries[number], scores[number], rows[number]
            of_query, count = of_queries[number], counts[number]
            for place in range(size):
                row = block[place]
                score = similarity(codes, scales, row, query, of_query, metric)
                count = keep(best_scores, best_rows, count, limit, score, row)
            counts[number] = count
            compared[number] += size


@compiled_leaf
def rank_some(codes, scales, chosen, query_codes, number, metric, scores, rows):
    """Rank, for query `number`, the rows chosen; return how many of them are written to scores and rows, best first."""
    query, of_query = query_codes[number], squared(query_codes, number)
    count = 0
    lines = cache_lines(codes)
    for place in range(chosen.shape[0]):
        row = chosen[place]
        if place + _AHEAD < chosen.shape[0]:
            prefetch(codes, chosen[place + _AHEAD], lines)
        score = similarity(codes, scales, row, query, of_query, metric)
        count = keep(scores, rows, count, scores.shape[0], score, row)
    return count
