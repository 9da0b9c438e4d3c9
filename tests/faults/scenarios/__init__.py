"""What can happen, each as one function that pytest calls for seconds and `make soak` for longer.

A scenario has features written all the while, does its worst again and again for about `seconds`, and then judges. What
it does follows from `seed`. It leaves the site whole. It raises Impossible where the machine cannot have its fault, and
AssertionError where a promise is broken.
"""

import random
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from tests.faults.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """faults: how many there were. operations: acknowledged meanwhile, and none of them lost.

    longest_healing_s: from the end of a fault until all copies were equal. longest_silence_s: until a subscription that
    had died was missed; 0 where none did.
    """

    faults: int
    operations: int
    longest_healing_s: float
    longest_silence_s: float = 0.0


class Scenario(Protocol):
    def __call__(self, site: Site, *, seed: int, seconds: float) -> Awaitable[Figures]: ...


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret
