"""Walking a navigable small world graph (Malkov & Yashunin 2016, algorithms 2 and 5) towards a query.

All rows lead on; only those that are allowed are found, so dead rows and rows that a filter excludes cost a step and
leave no hole in the answer.
"""

import numpy as np

from shared.index.kernels.agreed import NO_ROW, OVER_BUDGET
from shared.index.kernels.comparing import closeness
from shared.index.kernels.compiling import compiled, compiled_leaf
from shared.index.kernels.heap import drop_top, push, push_within
from shared.index.kernels.prefetch import cache_lines, prefetch
from shared.index.kernels.scan import rank_some


@compiled
def search_graph(
    codes,
    scales,
    signposts,
    norms,
    links,
    upper_rows,
    upper_links,
    starts,
    allowed,
    queries,
    steps,
    factors,
    metric,
    expansion,
    budget,
    scores,
    rows,
    counts,
    compared,
):
    """Find about `expansion` of the rows that are nearest to each query, and rank them as a scan does.

    codes, scales, queries: as a scan compares them. signposts, steps: the same as a walk does; int8, or uint8 for signs
    and codewords. The closeness of a row is norms[row, 0] + factor · norms[row, 1] · (inner product); `navigation.py`
    says why. norms: float32 (rows, 2). links: uint32 (rows, most), NO_ROW at the end. upper_rows, upper_links: those of
    all upper levels, the top one first, each ascending; starts: where each begins, and the end. factors: float32
    (queries,).

    Writes to scores, rows and counts what `rank_all` does: fewer than there are places, or than are allowed, only where
    no more can be reached; to compared, how many rows the walk looked at. A count of OVER_BUDGET: comparing `budget`
    rows did not do for this query, nor was any after it searched for.
    """
    visited = np.zeros((codes.shape[0] + 63) // 64, np.uint64)
    best = np.empty(expansion, np.float32)
    best_rows = np.empty(expansion, np.int64)
    counts[:] = OVER_BUDGET
    for number in range(queries.shape[0]):
        step, factor = steps[number], factors[number]
        visited[:] = 0
        entry = _descend(signposts, norms, upper_rows, upper_links, starts, step, factor)
        found, compared[number] = _walk(
            signposts, norms, links, allowed, entry, step, factor, budget, visited, best, best_rows
        )
        if found == OVER_BUDGET:
            break
        counts[number] = rank_some(
            codes, scales, best_rows[:found], queries, number, metric, scores[number], rows[number]
        )


@compiled
def _walk(codes, norms, links, allowed, entry, query, factor, budget, visited, best, best_rows):
    """Go on from the closest row not gone on from yet, until the best are all closer than it.

    Return their number, and that of the rows that were compared. The best are a heap too, by minus their closeness: so
    the worst of them is on top.
    """
    expansion = best.shape[0]
    lines = cache_lines(codes)
    ahead = np.empty(4 * expansion + links.shape[1], np.float32)
    ahead_rows = np.empty(4 * expansion + links.shape[1], np.int64)
    new = np.empty(links.shape[1], np.int64)
    visited[entry // 64] = np.uint64(1) << np.uint64(entry % 64)
    ahead[0], ahead_rows[0] = _near(codes, norms, entry, query, factor), entry
    size = compared = 1
    count = push_within(best, best_rows, 0, expansion, -ahead[0], entry) if allowed[entry] else 0
    while size and (count < expansion or ahead[0] >= -best[0]):
        if compared > budget:
            return OVER_BUDGET, compared
        nearest = ahead_rows[0]
        drop_top(ahead, ahead_rows, size)
        size -= 1
        fresh = _first_seen(links, nearest, visited, new)
        for place in range(fresh):
            prefetch(codes, new[place], lines)
            prefetch(norms, new[place], np.int64(1))
        if size:
            prefetch(links, ahead_rows[0], np.int64(2))
        if size + fresh > ahead.shape[0]:
            ahead, ahead_rows = np.append(ahead, np.empty_like(ahead)), np.append(ahead_rows, np.empty_like(ahead_rows))
        compared += fresh
        for place in range(fresh):
            row = new[place]
            near = _near(codes, norms, row, query, factor)
            if count < expansion or near > -best[0]:
                push(ahead, ahead_rows, size, near, row)
                size += 1
                if allowed[row]:
                    count = push_within(best, best_rows, count, expansion, -near, row)
    return count, compared


@compiled_leaf
def _near(codes, norms, row, query, factor):
    return norms[row, 0] + factor * norms[row, 1] * closeness(codes, row, query)


@compiled_leaf
def _first_seen(links, row, visited, new):
    """Write those of a row's links that are not marked yet to `new`, mark them, a bit each, and return their number."""
    fresh = 0
    for place in range(links.shape[1]):
        link = np.int64(links[row, place])
        if link == NO_ROW:
            break
        bit = np.uint64(1) << np.uint64(link & 63)
        if not visited[link >> 6] & bit:
            visited[link >> 6] |= bit
            new[fresh] = link
            fresh += 1
    return fresh


@compiled_leaf
def _descend(codes, norms, upper_rows, upper_links, starts, query, factor):
    """Go to the closest row of each upper level in turn, from the first row of the top one."""
    row = np.int64(upper_rows[0])
    near = _near(codes, norms, row, query, factor)
    for level in range(starts.shape[0] - 1):
        level_rows = upper_rows[starts[level] : starts[level + 1]]
        moved = True
        while moved:
            moved = False
            place = starts[level] + np.searchsorted(level_rows, np.uint32(row))
            for link in upper_links[place]:
                if link == NO_ROW:
                    break
                next_row = np.int64(link)
                next_near = _near(codes, norms, next_row, query, factor)
                if next_near > near:
                    row, near, moved = next_row, next_near, True
    return row
