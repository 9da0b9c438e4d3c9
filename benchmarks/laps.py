"""A request and its bare parts, timed in the same repetitions."""

from collections.abc import Sequence

from benchmarks.table import Measured


class Laps:
    """Milliseconds by name, a value for each repetition; those of the warm-up are left out."""

    def __init__(self, *, warm_up: int) -> None:
        self._warm_up = warm_up
        self._values: dict[str, list[float]] = {}

    def add(self, name: str, ms: float) -> None:
        self._values.setdefault(name, []).append(ms)

    def measured(self, name: str, *, note: str = "") -> Measured:
        return Measured(name=name, values=self._values[name][self._warm_up :], note=note)

    def total(self, name: str, parts: Sequence[str]) -> Measured:
        """The sum of some parts, repetition by repetition."""
        values = [sum(each) for each in zip(*(self.measured(part).values for part in parts), strict=True)]
        return Measured(name=name, values=values, note=" + ".join(parts))
