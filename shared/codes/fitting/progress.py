"""How far a fit is."""

from typing import Protocol


class OnStep(Protocol):
    def __call__(self, what: str, done: int, of: int) -> None:
        """Is told after each of `of` steps of `what`; must return soon."""


def untold(what: str, done: int, of: int) -> None:
    """Tell nobody."""
