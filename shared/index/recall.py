"""How much of what there is a search finds: one that was made, against an exact one of the same rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shared.index.query import Query
from shared.index.ranking import Ranking, Scores
from shared.index.sealed.segment import SealedSegment
from shared.index.segment import Segment
from shared.index.vectors import Codes

if TYPE_CHECKING:
    from shared.index.shard import Shard


class SegmentSample(NamedTuple):
    """found: by the search. scan: finds the same exactly; None where the search itself has compared all."""

    found: Scores
    scan: Callable[[], list[Ranking]] | None


class RecallSample(NamedTuple):
    """A query that was answered. k: of its hits, those that count."""

    k: int
    segments: Sequence[SegmentSample]

    @property
    def walked(self) -> bool:
        """Whether anything may have been missed."""
        return any(segment.scan for segment in self.segments)

    def measure(self) -> float | None:
        """Recall at k, 0 to 1: of the k best that there are, the share that scores as well as those that were found.

        None where there is nothing to find. Compares the query with all rows that it was led through, some milliseconds
        for each hundred thousand: in a thread of its own, which may be any.
        """
        best = _best(self.k, [segment.scan()[0].scores if segment.scan else segment.found for segment in self.segments])
        if not len(best):
            return None
        found = _best(self.k, [segment.found for segment in self.segments])
        return float(np.count_nonzero(found >= best[-1]) / len(best))


def sample_recall(shards: Mapping[int, "Shard"], query: Query) -> RecallSample:
    """Search once more, in the thread of the shards. Raises ValueError as their search does."""
    return RecallSample(query.wanted, [each for shard in shards.values() for each in shard.sample(query)])


def sample_segment(segment: Segment, code: Codes, query: Query) -> SegmentSample:
    """code: uint8 (1, bytes), that of the query."""
    [ranking] = segment.nearest(code, query.wanted, query.condition, exact=query.exact, effort=query.effort)
    if not ranking.walked or not isinstance(segment, SealedSegment):
        return SegmentSample(ranking.scores, None)
    return SegmentSample(ranking.scores, segment.scan_later(code, query.wanted, query.condition))


def _best(k: int, scores: Sequence[Scores]) -> Scores:
    """The k best of all, best first."""
    return np.sort(np.concatenate([np.empty(0, np.float32), *scores]))[::-1][:k]
