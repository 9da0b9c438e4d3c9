"""What one image may cost, and how many are decoded at once."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt
from PIL import Image

from shared.imaging.guard import ImageLimits

Pixels = npt.NDArray[np.uint8]

Finish = Callable[[Image.Image], Pixels]
"""What becomes of the decoded image, in mode RGB, before it leaves the decoder: whatever makes it small.

It must be a function or a method that pickle finds by its name, in a module that is quick to import.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodePolicy:
    """How images are decoded, and when one has cost enough."""

    limits: ImageLimits = field(default_factory=ImageLimits)
    processes: int = 2
    max_cpu_s: float = 5.0
    """Of the decoder for one image. The clock of the processor runs alike on an idle and on a busy host."""
    deadline_s: float = 20.0
    """For one image by the clock on the wall, which is for decoders that wait for something that never comes."""
    max_memory_bytes: int = 512 * 1024 * 1024
    """For one image, above what a decoder takes when it is idle. Enforced on Linux."""
    max_images: int = 10_000
    """After so many, a decoder makes room for a fresh one, so that a library that leaks does not add up."""
    start_s: float = 60.0
    """How long a decoder may take to start."""

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if isinstance(value, int | float) and value <= 0:
                raise ValueError(f"DecodePolicy.{limit.name} is {value}; it must be positive")
        if self.deadline_s < self.max_cpu_s:
            raise ValueError(f"DecodePolicy.deadline_s is {self.deadline_s}; it must not be below max_cpu_s")
