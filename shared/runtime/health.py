"""Probes: is the process alive, and is it ready? Each answer names what it lacks."""

from collections.abc import Callable
from dataclasses import dataclass, field

_STOPPING = {"stopping": "the worker is about to end: it finishes what is under way, and takes nothing more"}

Check = Callable[[], str | None]
"""Gives None when all is well, else one sentence that says what is not."""


@dataclass(slots=True)
class Health:
    """The checks of one worker.

    alive: a failure means that only a restart helps. ready: a failure means that work should go elsewhere for now.
    stopping: whether the worker is about to end. It is not ready from then on, and alive whatever stands still: whoever
    stopped it waits for it, and kills it when its time is over.
    """

    alive: dict[str, Check] = field(default_factory=dict)
    ready: dict[str, Check] = field(default_factory=dict)
    stopping: Callable[[], bool] = lambda: False

    def not_alive(self) -> dict[str, str]:
        return {} if self.stopping() else _failures(self.alive)

    def not_ready(self) -> dict[str, str]:
        return dict(_STOPPING) if self.stopping() else _failures(self.alive | self.ready)


def _failures(checks: dict[str, Check]) -> dict[str, str]:
    answers = {name: check() for name, check in checks.items()}
    return {name: answer for name, answer in answers.items() if answer is not None}


class Flag:
    """A check that fails until it is set."""

    def __init__(self, until: str) -> None:
        self._until: str | None = until

    def set(self) -> None:
        self._until = None

    def clear(self, until: str) -> None:
        self._until = until

    def __call__(self) -> str | None:
        return self._until
