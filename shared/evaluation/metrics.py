"""What rankings are worth, where each thing is relevant or not."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
"""float64 (queries,)"""
Relevance = npt.NDArray[np.bool_]
"""bool (queries, ranks): whether what stands there is relevant. All that could be found stands in some rank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Of each query, float64 (queries,), between 0 and 1.

    average_precision: see `average_precision`. hit_at: by k, whether one of the first k is relevant, which metric
    learning calls recall@k (Oh Song et al. 2016). ndcg_at_10: see `ndcg`.
    """

    average_precision: Values
    hit_at: dict[int, Values]
    ndcg_at_10: Values


def judge(relevance: Relevance) -> Quality:
    """Judge rankings that each have something relevant in them. Raises ValueError where one has not."""
    if not relevance.any(axis=1).all():
        raise ValueError("a query for which nothing is relevant cannot be judged")
    return Quality(
        average_precision=average_precision(relevance),
        hit_at={k: np.asarray(relevance[:, :k].any(axis=1), np.float64) for k in (1, 5, 10)},
        ndcg_at_10=ndcg(relevance, 10),
    )


def average_precision(relevance: Relevance) -> Values:
    """Return the mean, over the relevant ones, of the precision at the rank of each.

    Manning, Raghavan & Schütze 2008, section 8.4; nothing is interpolated.
    """
    precision = relevance.cumsum(axis=1) / np.arange(1, relevance.shape[1] + 1)
    average: Values = (precision * relevance).sum(axis=1) / relevance.sum(axis=1)
    return average


def ndcg(relevance: Relevance, k: int) -> Values:
    """Return the sum of 1 / log2(rank + 1) over the relevant of the first k, over the most that it could be.

    Järvelin & Kekäläinen 2002, with a gain of 1.
    """
    discounts = 1 / np.log2(np.arange(2, min(k, relevance.shape[1]) + 2))
    ideal = discounts.cumsum()[np.minimum(relevance.sum(axis=1), len(discounts)) - 1]
    gained: Values = (relevance[:, : len(discounts)] * discounts).sum(axis=1) / ideal
    return gained


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """By how much one mean is above another, and between what it lies in 95 of 100 samples of the queries."""

    mean: float
    low: float
    high: float

    def sentence(self, one: str, other: str) -> str:
        """Say whether it is more than chance."""
        interval = f"{self.mean:+.3f} mAP, 95% interval {self.low:+.3f} to {self.high:+.3f}"
        if self.low > 0:
            return f"{one} is better than {other}: {interval}."
        if self.high < 0:
            return f"{one} is worse than {other}: {interval}."
        return f"{one} cannot be told from {other}: {interval}."


def difference(one: Values, other: Values, *, seed: int, samples: int = 1000) -> Difference:
    """Compare what two schemes made of the same queries, by the percentile bootstrap (Efron & Tibshirani 1993, 13.3).

    Queries are drawn, not classes and not what is searched: it says nothing of other pictures.
    """
    generator = np.random.default_rng(seed)
    differences = one - other
    means = [differences[generator.integers(len(one), size=len(one))].mean() for _ in range(samples)]
    low, high = np.percentile(means, [2.5, 97.5])
    return Difference(mean=float(differences.mean()), low=float(low), high=float(high))
