"""The role of what is trained: it can do a step, be judged, be put away and taken out again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from shared.training.quality import Quality

Losses = Mapping[str, float]
"""By name; the same names at each step."""


class Learner(Protocol):
    """Deterministic: the same pictures, the same seed and as many steps give the same weights, on one machine."""

    @property
    def family(self) -> str:
        """The name of the encoder that it trains."""

    @property
    def steps_per_epoch(self) -> int: ...

    def begin_epoch(self, progress: float) -> None:
        """Choose the order of the pictures and the rate of learning. progress: 0 at the first epoch, 1 at the end."""

    def step(self) -> Losses:
        """Learn from one batch."""

    def quality(self) -> Quality:
        """Judge it by the pictures that were held out."""

    def show(self, folder: Path, epoch: int) -> None:
        """Write what can be looked at, if there is something."""

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs to go on as if nothing had been: tensors, numbers and lists of them."""

    def restore(self, state: Mapping[str, Any]) -> None: ...

    def tensors(self) -> dict[str, Tensor]:
        """Return what the encoder's file holds."""

    def architecture(self) -> dict[str, Any]:
        """Return what the encoder's file says of how it is built."""
