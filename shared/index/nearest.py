"""Search over the segments of a shard: each gives the rows nearest to a code, the nearest of all become matches."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from shared.index.query import Query
from shared.index.ranking import Ranking
from shared.index.segment import Match, Segment


def search_segments(segments: Sequence[Segment], queries: Sequence[Query]) -> list[list[Match]]:
    """Return the matches of each query, by rank. Those that differ in nothing but their codes are searched together.

    segments: at least one, none of them empty.
    """
    if len(queries) == 1:
        return list(_search_alike(segments, queries))
    alike: defaultdict[object, list[int]] = defaultdict(list)
    for number, query in enumerate(queries):
        alike[query.condition, query.exact, query.wanted, query.effort].append(number)
    found: dict[int, list[Match]] = {}
    for numbers in alike.values():
        together = [queries[number] for number in numbers]
        found.update(zip(numbers, _search_alike(segments, together), strict=True))
    return [found[number] for number in range(len(queries))]


def rank(match: Match) -> tuple[float, str]:
    """Sort key of a ranking: best score first, equal scores by id, so that all replicas rank alike."""
    return (-match.score, match.row.id)


def _search_alike(segments: Sequence[Segment], queries: Sequence[Query]) -> Iterator[list[Match]]:
    """Search for queries that have the condition, the exactness and the number of wanted rows in common."""
    first = queries[0]
    codes = np.frombuffer(b"".join(query.code for query in queries), np.uint8).reshape(len(queries), -1)
    rankings = [
        segment.nearest(codes, first.wanted, first.condition, exact=first.exact, effort=first.effort)
        for segment in segments
    ]
    for query, of_query in zip(queries, zip(*rankings, strict=True), strict=True):
        matches = _best(query.wanted, query.min_score, segments, of_query)
        yield [match for match in matches if match.row.id not in query.exclude][: query.k]


def _best(k: int, min_score: float | None, segments: Sequence[Segment], rankings: Sequence[Ranking]) -> list[Match]:
    """Return the best `k` matches of several segments, and those that score like the last of them, by rank."""
    least = -np.inf if min_score is None else min_score
    if sum(len(ranking.scores) for ranking in rankings) > k:
        scores = np.concatenate([ranking.scores for ranking in rankings])
        least = max(least, float(np.partition(scores, -k)[-k]))
    matches = [
        Match(score, segment.row_at(row))
        for segment, ranking in zip(segments, rankings, strict=True)
        for score, row in zip(ranking.scores.tolist(), ranking.rows.tolist(), strict=True)
        if score >= least
    ]
    return sorted(matches, key=rank)
