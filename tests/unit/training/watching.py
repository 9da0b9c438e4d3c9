"""Who watches a training in a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Watched:
    """Remembers what it heard."""

    stages: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    steps: int = 0

    def began(self, what: str, total: int) -> None:
        self.stages.append(what)

    def advanced(self, steps: int, numbers: Mapping[str, float]) -> None:
        self.steps += steps

    def noted(self, sentence: str) -> None:
        self.sentences.append(sentence)
