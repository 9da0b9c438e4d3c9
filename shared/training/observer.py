"""Who watches a training."""

from collections.abc import Mapping
from typing import Protocol


class TrainingObserver(Protocol):
    """Hears of everything in the thread of the training; must not block for long."""

    def began(self, what: str, total: int) -> None:
        """Some work with so many steps has begun; the one before is over."""

    def advanced(self, steps: int, numbers: Mapping[str, float]) -> None:
        """So many steps more are done. numbers: the losses of the last of them, by name."""

    def noted(self, sentence: str) -> None:
        """Something is worth a line of its own, such as a picture that was left out."""


class Stopped(Exception):
    """Whoever started the training wants it to end. The checkpoint of the last whole epoch is there."""
