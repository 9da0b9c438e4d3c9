"""Where the time of a query went."""

import time

from shared.events.search_replies import Timings


class Stopwatch:
    """Collects how long each stage of one query took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started = time.perf_counter()
        self._lap = self._started

    def lap(self, stage: str) -> None:
        """The time since the last lap belongs to `stage`."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._lap
        self._lap = now

    def split(self, first: str, seconds: float, rest: str) -> None:
        """The time since the last lap belongs to `first` for `seconds`, and to `rest` beyond that."""
        self.seconds[first] = self.seconds.get(first, 0.0) + seconds
        self._lap += seconds
        self.lap(rest)

    def timings(self, queue_s: float) -> Timings:
        """What the reply says; the total runs from the request's timestamp."""
        total_s = queue_s + time.perf_counter() - self._started
        stages = {**self.seconds, "queue": queue_s + self.seconds.get("queue", 0.0), "total": total_s}
        return Timings(**{f"{stage}_ms": round(1000 * seconds, 3) for stage, seconds in stages.items()})
