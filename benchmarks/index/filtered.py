"""Filters: how fast a search is that may find only some of the rows, and whether its answer is complete."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.index.apart import Apart
from benchmarks.index.building import built
from benchmarks.index.cache import Cache
from benchmarks.index.engines.afterimage import Afterimage
from benchmarks.index.lineup import OURS
from benchmarks.index.plan import Plan
from benchmarks.index.rows import BUCKETS, attributes_of
from benchmarks.index.sets import clustered_set
from benchmarks.index.timing import Rate, Timer
from benchmarks.index.workload import K, Workload, exact_answers
from benchmarks.table import Measured, Part, counted, median_ratio
from shared.index.filters.condition import Condition
from shared.index.filters.syntax import parse_filter

SHARES = (0.0001, 0.01, 0.1, 0.5)


class Answers(NamedTuple):
    """What a filter gave.

    matching: the rows that it lets through. complete: the share of queries that got all the hits there are, and none
    that it keeps out. recall: of the exact answer among those rows.
    """

    matching: int
    complete: float
    recall: float


def measure(plan: Plan, cache: Cache) -> Iterator[Part]:
    rows = max(plan.rows)
    workload = clustered_set(plan, cache, rows)
    queries = max(1, plan.queries // 5)  # a round has them for each share
    rates: dict[float, list[Rate]] = {share: [] for share in (1.0, *SHARES)}
    with Apart(FilteredSearch, built(OURS, cache, workload), workload) as search:
        answers = {share: Answers(*search.call("answers", share, queries)) for share in SHARES}
        for _ in counted("filters: rounds", plan.rounds):
            for share, measured in rates.items():
                measured.append(search.call("rate", share, queries))
    cpu = {share: [rate.cpu for rate in measured] for share, measured in rates.items()}
    yield Part(
        title=f"Filters, {rows:,} clustered x {plan.dimensions}, one query at a time",
        unit="queries/s of processor time, one thread",
        rows=[
            Measured(name="no filter", values=cpu[1.0]),
            *(_row(share, answer, cpu[share]) for share, answer in answers.items()),
        ],
        ratios={
            **{f"filtered_{100 * share:g}%_over_unfiltered": median_ratio(cpu[share], cpu[1.0]) for share in SHARES},
            "filters_complete": min(answer.complete for answer in answers.values()),
        },
        notes=["complete: the share of queries that got all hits there are, up to 10, and only such"],
    )


class FilteredSearch:
    """Lives in a child."""

    def __init__(self, folder: Path, workload: Path) -> None:
        engine = Afterimage()
        engine.open(folder)
        self._shard = engine.shard
        self._workload = Workload.load(workload)
        self._codes = engine.form(np.array(self._workload.queries))

    def answers(self, share: float, count: int) -> Answers:
        base, queries = self._workload.base, self._workload.queries[:count]
        matching = [row for row in range(len(base)) if attributes_of(row)["bucket"] < BUCKETS * share]  # type: ignore[operator]
        exact = [{matching[place] for place in places} for places in exact_answers(base[matching], queries)]
        found = [
            {int(match.row.id) for match in self._shard.search(code, K, condition=_condition(share))}
            for code in self._codes[:count]
        ]
        wanted, allowed = min(K, len(matching)), set(matching)
        complete = sum(len(rows) == wanted and rows <= allowed for rows in found) / count
        recall = sum(len(rows & nearest) for rows, nearest in zip(found, exact, strict=True)) / (wanted * count)
        return Answers(len(matching), complete, recall)

    def rate(self, share: float, count: int) -> Rate:
        """share: 1 for no filter."""
        condition = _condition(share) if share < 1 else None
        with Timer() as timer:
            for code in self._codes[:count]:
                self._shard.search(code, K, condition=condition)
        return timer.rate(count)


def _condition(share: float) -> Condition:
    return parse_filter(json.loads(f'{{"bucket": {{"$lt": {BUCKETS * share:g}}}}}'))


def _row(share: float, answers: Answers, rates: list[float]) -> Measured:
    note = f"{answers.matching:,} rows match, complete {answers.complete:.3f}, recall {answers.recall:.4f}"
    return Measured(name=f"{100 * share:g}% of the rows", values=rates, note=note)
