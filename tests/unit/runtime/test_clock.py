import pytest

from shared.runtime.clock import CautiousClock

HOUR_S = 3600.0


class Machine:
    def __init__(self) -> None:
        self.time_of_day = 1_800_000_000.0
        self.up_s = 50.0

    def clock(self) -> CautiousClock:
        return CautiousClock(now_s=lambda: self.time_of_day, monotonic=lambda: self.up_s)

    def pass_time(self, seconds: float) -> None:
        self.time_of_day += seconds
        self.up_s += seconds


def test_while_nobody_sets_the_clock_it_is_the_time_of_day() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.pass_time(HOUR_S)
    assert clock() == machine.time_of_day


@pytest.mark.parametrize("hours", [1, 1000])
def test_a_clock_that_jumps_ahead_is_not_believed(hours: int) -> None:
    machine = Machine()
    clock, before = machine.clock(), machine.time_of_day
    machine.time_of_day += hours * HOUR_S
    machine.pass_time(5)
    assert clock() == before + 5


def test_a_clock_that_was_ahead_at_the_start_is_believed_once_it_is_right() -> None:
    machine = Machine()
    machine.time_of_day += HOUR_S
    clock = machine.clock()
    machine.time_of_day -= HOUR_S
    assert clock() == machine.time_of_day
