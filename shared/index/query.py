"""What is looked for in an index."""

from dataclasses import dataclass

from shared.index.filters.condition import Condition


class OtherScheme(ValueError):
    """The codes in the index are of another scheme than the query's."""

    def __init__(self, scheme: str) -> None:
        super().__init__(f"the index holds codes of scheme {scheme}")
        self.scheme = scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The `k` images nearest to `code` that the condition holds for.

    scheme: that of the code, where it must be that of the index. min_score: whatever scores less is left out. exclude:
    ids that are. exact: compare with every row, where a graph would lead to about the nearest. effort: candidates that
    a walk in a graph keeps in view; None for what a segment is opened with.
    """

    code: bytes
    k: int
    scheme: str | None = None
    min_score: float | None = None
    condition: Condition | None = None
    exclude: frozenset[str] = frozenset()
    exact: bool = False
    effort: int | None = None

    @property
    def wanted(self) -> int:
        """How many must be found for `k` to be left."""
        return self.k + len(self.exclude)
