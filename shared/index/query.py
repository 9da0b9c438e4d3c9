"""What is looked for in an index."""

from dataclasses import dataclass

from shared.index.filters.condition import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The `k` images nearest to `code` that the condition holds for.

    min_score: whatever scores less is left out. exclude: ids that are. exact: compare with every row, where a graph
    would lead to about the nearest. effort: candidates that a walk in a graph keeps in view; None for what a segment is
    opened with.
    """

    code: bytes
    k: int
    min_score: float | None = None
    condition: Condition | None = None
    exclude: frozenset[str] = frozenset()
    exact: bool = False
    effort: int | None = None

    @property
    def wanted(self) -> int:
        """How many must be found for `k` to be left."""
        return self.k + len(self.exclude)
