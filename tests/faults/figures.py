"""What is counted while things go wrong."""

from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures add up; of what is called longest, the longest stays.

    operations: acknowledged by Kafka. lost: of these, those that no receipt tells of, or that a search does not find.
    deleted_returned: images that a search found though they were deleted. stale_appends: tried by a writer whose shard
    is another's. flipped_bits: of files in the store. examples: stories that Hypothesis made up.

    longest_healing_s: from the end of a fault until all copies were equal. longest_silence_s: until a subscription that
    had died was missed.
    """

    faults: int = 0
    operations: int = 0
    lost: int = 0
    deleted_returned: int = 0
    stale_appends: int = 0
    stale_appends_accepted: int = 0
    flipped_bits: int = 0
    flipped_bits_accepted: int = 0
    examples: int = 0
    longest_healing_s: float = 0.0
    longest_silence_s: float = 0.0

    def __add__(self, other: Self) -> Self:
        pairs = {each.name: (getattr(self, each.name), getattr(other, each.name)) for each in fields(self)}
        return type(self)(
            **{name: max(pair) if name.startswith("longest") else sum(pair) for name, pair in pairs.items()}
        )

    def __str__(self) -> str:
        figures = {each.name: getattr(self, each.name) for each in fields(self)}
        return ", ".join(f"{name} {round(value, 2)}" for name, value in figures.items() if value)


class PromiseBroken(AssertionError):
    """A promise of the service does not hold; the text says which, the figures how often."""

    def __init__(self, text: str, figures: Figures | None = None) -> None:
        super().__init__(text)
        self.figures = figures or Figures()
