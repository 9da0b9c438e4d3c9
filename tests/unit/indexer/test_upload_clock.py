"""The time by the uploads, and what clocks that jump do to it."""

from services.indexer.upload_clock import UploadClock

YEAR_MS = 365 * 86_400_000


class Clocks:
    """wall_ms jumps as the test says; monotonic_s only passes."""

    def __init__(self) -> None:
        self.wall_ms = 1_000_000
        self.monotonic_s = 50.0
        self.clock = UploadClock(now_ms=lambda: self.wall_ms, monotonic=lambda: self.monotonic_s)

    def pass_time(self, seconds: float) -> None:
        self.wall_ms += int(1000 * seconds)
        self.monotonic_s += seconds


def test_it_is_the_time_of_the_newest_upload_and_what_has_passed_since() -> None:
    clocks = Clocks()
    clocks.clock.hear(900_000)
    clocks.pass_time(2)
    assert clocks.clock.now_ms() == 902_000
    clocks.clock.hear(901_000)
    assert clocks.clock.now_ms() == 902_000
    clocks.clock.hear(950_000)
    assert clocks.clock.now_ms() == 950_000


def test_before_the_first_upload_it_is_long_ago() -> None:
    assert Clocks().clock.now_ms() == 0


def test_a_clock_that_jumps_ahead_does_not_move_it() -> None:
    clocks = Clocks()
    clocks.clock.hear(1_000_000)
    clocks.wall_ms += YEAR_MS
    clocks.pass_time(3)
    assert clocks.clock.now_ms() == 1_003_000
    clocks.clock.hear(1_003_500)
    assert clocks.clock.now_ms() == 1_003_500


def test_a_producer_whose_clock_is_ahead_is_not_believed_more_than_this_machine() -> None:
    clocks = Clocks()
    clocks.clock.hear(1_000_000 + YEAR_MS)
    assert clocks.clock.now_ms() == 1_000_000
    clocks.wall_ms += YEAR_MS
    assert clocks.clock.now_ms() == 1_000_000


def test_a_clock_that_is_behind_holds_it_back() -> None:
    clocks = Clocks()
    clocks.clock.hear(1_000_000)
    clocks.wall_ms -= YEAR_MS
    assert clocks.clock.now_ms() == 1_000_000 - YEAR_MS
