"""How much is measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.index.lineup import LINEUP


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """rows: sizes of the clustered sets. crops: images of the set of real features. engines: those that search.

    rounds: in each of which every index answers `queries` queries, of the `asked` that recall is told by. window: rows
    that live at a time in the churn, which replaces all of them `turnovers` times. while_s: of search while ingesting.
    """

    rows: Sequence[int]
    engines: Sequence[str]
    dimensions: int
    crops: int
    asked: int
    queries: int
    rounds: int
    window: int
    turnovers: int
    while_s: float


def full(rows: Sequence[int], engines: Sequence[str]) -> Plan:
    return Plan(
        rows=rows,
        engines=engines,
        dimensions=256,
        crops=6_000,
        asked=2_000,
        queries=1_000,
        rounds=5,
        window=20_000,
        turnovers=4,
        while_s=3.0,
    )


def quick() -> Plan:
    """Enough to see that everything works, and too little for figures."""
    return Plan(
        rows=[2_000],
        engines=tuple(LINEUP),
        dimensions=32,
        crops=400,
        asked=50,
        queries=20,
        rounds=1,
        window=400,
        turnovers=1,
        while_s=0.2,
    )
