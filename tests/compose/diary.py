"""What is done, when, and how long it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Diary:
    """Says each line at once; `figures` keeps how many seconds each step took, for the table at the end."""

    def __init__(self) -> None:
        self.figures: list[tuple[str, float]] = []
        self._began = time.monotonic()

    def say(self, line: str) -> None:
        minutes, seconds = divmod(round(time.monotonic() - self._began), 60)
        sys.stdout.write(f"test-compose {minutes:3}:{seconds:02}  {line}\n")
        sys.stdout.flush()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        self.say(what)
        began = time.monotonic()
        yield
        self.took(what, time.monotonic() - began)

    def took(self, what: str, seconds: float) -> None:
        self.figures.append((what, seconds))
        self.say(f"{seconds:5.1f} s: {what}")

    def table(self) -> str:
        return "\n".join(f"{seconds:8.1f} s  {what}" for what, seconds in self.figures)
