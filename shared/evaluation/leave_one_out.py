"""Each picture searches for its like among all others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.evaluation.coding import CodedPictures
from shared.evaluation.metrics import Quality, judge
from shared.evaluation.rankings import SHOWN, whole_rankings


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """quality: of the pictures that have others of their class, in their order.

    first_hits: int64 (classes, classes), how often a picture of one class (row) has one of another (column) as its
    nearest. queries: int64 (queries,), the rows of those pictures. nearest: int64 (queries, 10 or less where there are
    less), the rows of what each finds, best first.
    """

    quality: Quality
    first_hits: npt.NDArray[np.int64]
    queries: npt.NDArray[np.int64]
    nearest: npt.NDArray[np.int64]


def leave_one_out(pictures: CodedPictures, labels: Sequence[int]) -> Judged:
    """Rank all others for each picture, as the index scores them, and judge the rankings by the classes.

    Equal scores stand in the order of the rows, which should not be that of the classes. Raises ValueError where no
    class has two pictures.
    """
    classes = np.asarray(labels, np.int64)
    counts = np.bincount(classes)
    judged = np.flatnonzero(counts[classes] > 1)
    if not len(judged):
        raise ValueError("no class has two pictures, so that there is nothing to be found")
    relevance = np.empty((len(judged), len(classes) - 1), np.bool_)
    nearest = np.empty((len(judged), min(SHOWN, len(classes) - 1)), np.int64)
    first_hits = np.zeros((len(counts), len(counts)), np.int64)
    rankings = whole_rankings(pictures.codes, pictures.queries[judged], pictures.vector_format)
    for place, (row, ranking) in enumerate(zip(judged, rankings, strict=True)):
        others = ranking.rows[ranking.rows != row]
        nearest[place] = others[: nearest.shape[1]]
        relevance[place] = classes[others] == classes[row]
        first_hits[classes[row], classes[others[0]]] += 1
    return Judged(quality=judge(relevance), first_hits=first_hits, queries=judged, nearest=nearest)
