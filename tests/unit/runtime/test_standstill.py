"""Work that hangs is noticed; what waits for nothing, moves on, or tries again is not taken for it."""

from shared.runtime.standstill import HUNG_AFTER_S, Standstill


class Watched:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.progress: object | None = None
        self.check = Standstill(lambda: self.progress, what="the work", clock=lambda: self.now_s)

    def after(self, seconds: float) -> str | None:
        self.now_s += seconds
        return self.check()


def test_nothing_under_way_may_last_for_ever() -> None:
    watched = Watched()
    assert [watched.after(2 * HUNG_AFTER_S) for _ in range(3)] == [None] * 3


def test_what_makes_no_step_is_hung_after_a_quarter_of_an_hour_until_it_does() -> None:
    watched = Watched()
    watched.progress = 1
    assert [watched.after(HUNG_AFTER_S), watched.after(HUNG_AFTER_S)] == [None, None]
    assert watched.after(1) == f"the work has hung for {HUNG_AFTER_S + 1:.0f} s"
    watched.progress = 2
    assert watched.after(1) is None


def test_what_goes_on_step_by_step_is_not_hung_however_long_it_takes() -> None:
    watched = Watched()
    for step in range(20):
        watched.progress = step
        assert watched.after(HUNG_AFTER_S) is None
