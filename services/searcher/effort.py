"""How hard a search in a graph tries: harder while it misses too much, as before when it no longer does."""

from collections import deque
from dataclasses import dataclass

_SAMPLES = 20
"""Queries between two changes: their mean says something, and a shift is noticed soon."""
_RAISED, _LOWERED = 1.5, 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortPolicy:
    """least, most: candidates that a walk keeps in view. target: the recall that is kept, 0 to 1."""

    least: int
    most: int
    target: float

    @property
    def ample(self) -> float:
        """A recall above which less effort may do: half of what the target lets be missed."""
        return (1 + self.target) / 2


class SearchEffort:
    """Begins with the least, and learns from the recall of queries, one after the other."""

    def __init__(self, policy: EffortPolicy) -> None:
        self.candidates = policy.least
        self._policy = policy
        self._recalls: deque[float] = deque(maxlen=_SAMPLES)
        self._since_change = 0

    @property
    def recall(self) -> float | None:
        """The mean of the last samples; None before the first."""
        return sum(self._recalls) / len(self._recalls) if self._recalls else None

    def learn(self, recall: float) -> None:
        self._recalls.append(recall)
        self._since_change += 1
        if self._since_change < _SAMPLES:
            return
        mean = sum(self._recalls) / _SAMPLES
        if mean < self._policy.target:
            self._change(min(self._policy.most, int(self.candidates * _RAISED) + 1))
        elif mean >= self._policy.ample:
            self._change(max(self._policy.least, int(self.candidates / _LOWERED)))

    def _change(self, candidates: int) -> None:
        """What was sampled before says nothing of what comes."""
        if candidates != self.candidates:
            self.candidates = candidates
            self._since_change = 0
