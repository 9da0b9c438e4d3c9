"""The course of a soak: steps in an order that follows from the seed, for as long as it was given."""

import random
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.faults.figures import Figures, PromiseBroken
from tests.faults.site import Impossible, Sites
from tests.soak.steps import Step


@dataclass
class Tally:
    """broken: by step and seed, in the order that they came. skipped: why, by the name of the step."""

    steps: int = 0
    broken: list[tuple[str, int]] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    figures: Figures = field(default_factory=Figures)


class Soak:
    """say: takes the lines that tell how it goes."""

    def __init__(self, sites: Sites, say: Callable[[str], None]) -> None:
        self.tally = Tally()
        self._sites = sites
        self._say = say

    def go_on(self, steps: Iterator[tuple[Step, int]]) -> None:
        """Take one step after another, whatever becomes of them."""
        for step, seed in steps:
            self._take(step, seed)

    def _take(self, step: Step, seed: int) -> None:
        self._say(f"{step.name} (again: make soak STEP={step.name} SEED={seed})")
        started_at = time.monotonic()
        figures = Figures()
        try:
            figures = step.run(self._sites.whole, seed=seed)
            end = f"held: {figures}"
        except Impossible as impossible:
            self.tally.skipped[step.name] = str(impossible)
            end = f"skipped: {impossible}"
        except PromiseBroken as broken:
            figures = broken.figures
            end = f"BROKEN: {broken}"
            self._give_up(step, seed)
        except Exception:  # noqa: BLE001 - the outermost loop: a step that could not be judged is not one that held
            end = f"FAILED:\n{traceback.format_exc()}"
            self._give_up(step, seed)
        self.tally.steps += 1
        self.tally.figures += figures
        self._say(f"  {end} ({time.monotonic() - started_at:.0f} s)")

    def _give_up(self, step: Step, seed: int) -> None:
        self.tally.broken.append((step.name, seed))
        self._sites.close()


def in_turn(
    steps: Sequence[Step], rng: random.Random, *, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[tuple[Step, int]]:
    """All steps, shuffled, again and again, each with a seed of its own; without those that would take too long."""
    ends_at = clock() + seconds
    while fitting := [step for step in steps if clock() + step.takes_s <= ends_at]:
        for step in rng.sample(fitting, len(fitting)):
            seed = rng.randrange(2**32)
            if clock() + step.takes_s <= ends_at:
                yield step, seed
