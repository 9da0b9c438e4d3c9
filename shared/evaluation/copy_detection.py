"""Changed copies of pictures search for their originals among all pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.evaluation.metrics import Values
from shared.evaluation.rankings import SHOWN, whole_rankings
from shared.index.vectors import Codes, VectorFormat

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What copies found, in their order.

    ranks: int64 (copies,), where the original stands, from 1. nearest: int64 (copies, 10 or as many as there are), the
    rows of what stands first. scores: float32, of the same shape, their similarities. originals: int64 (copies,), the
    rows of the originals.
    """

    ranks: Rows
    nearest: Rows
    scores: npt.NDArray[np.float32]
    originals: Rows

    def of(self, some: npt.NDArray[np.bool_]) -> "Found":
        """Return what some of the copies found."""
        return Found(
            ranks=self.ranks[some],
            nearest=self.nearest[some],
            scores=self.scores[some],
            originals=self.originals[some],
        )

    @property
    def recall_at_1(self) -> Values:
        """Return for each copy 1 where its original stands first, else 0."""
        return np.asarray(self.ranks == 1, np.float64)

    @property
    def average_precision(self) -> Values:
        """Return the average precision of each copy's ranking: one over the rank, as one picture alone is relevant."""
        return 1 / self.ranks

    @property
    def micro_average_precision(self) -> float:
        """The average precision of the ten nearest of all copies, in one list by their scores.

        It is high only where one threshold parts copies from what is none (Douze et al. 2021, section 3; Law et al.
        2007). What scores alike counts together, and an original that is not among the ten is never found.
        """
        right = (self.nearest == self.originals[:, None]).ravel()
        scores = self.scores.ravel()
        order = np.argsort(-scores, kind="stable")
        last_alike = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
        found = right[order].cumsum()[last_alike]
        gained = np.diff(found, prepend=0) / len(self.ranks)
        return float((gained * found / (last_alike + 1)).sum())


def find_originals(codes: Codes, queries: Codes, originals: Sequence[int], vector_format: VectorFormat) -> Found:
    """Rank all pictures for each copy, as the index scores them.

    codes: uint8 (pictures, bytes), as they are stored. queries: uint8 (copies, query bytes). originals: the row of each
    copy's original. Equal scores stand in the order of the rows.
    """
    shown = min(SHOWN, len(codes))
    ranks = np.empty(len(queries), np.int64)
    nearest = np.empty((len(queries), shown), np.int64)
    scores = np.empty((len(queries), shown), np.float32)
    for place, ranking in enumerate(whole_rankings(codes, queries, vector_format)):
        ranks[place] = 1 + int(np.flatnonzero(ranking.rows == originals[place])[0])
        nearest[place], scores[place] = ranking.rows[:shown], ranking.scores[:shown]
    return Found(ranks=ranks, nearest=nearest, scores=scores, originals=np.asarray(originals, np.int64))
