"""The time of day, as it is and as the clocks of the machines show it."""

import asyncio

_START_MS = 1_800_000_000_000


class TimeOfDay:
    """Unix milliseconds as they are, for any thread. Days may pass in which nothing happens: machines were asleep."""

    def __init__(self) -> None:
        self._elapsed_s = asyncio.get_running_loop().time
        self._slept_ms = 0

    def __call__(self) -> int:
        return _START_MS + self._slept_ms + round(self._elapsed_s() * 1000)

    def sleep(self, days: float) -> None:
        self._slept_ms += round(days * 24 * 3600 * 1000)


class WallClock:
    """The clock of one machine, which is set forwards and backwards."""

    def __init__(self, time: TimeOfDay) -> None:
        self._time = time
        self._error_ms = 0

    def __call__(self) -> int:
        return self._time() + self._error_ms

    def show(self, *, hours_ahead: float) -> None:
        self._error_ms = round(hours_ahead * 3600 * 1000)
