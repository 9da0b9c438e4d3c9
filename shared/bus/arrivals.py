"""Since when the first record of a partition waits that was not taken yet."""

_MOST = 128


class Arrivals:
    """One partition that is looked at now and then. Seconds are those of one monotonic clock.

    What came while it was looked at is dated by the first look that saw it: by no clock of others, and late by the time
    between two looks at most. What was there before is about as old as the record that was taken last.
    """

    def __init__(self, *, most: int = _MOST) -> None:
        """most: of the looks that are remembered. Beyond it every other one is forgotten, and times get coarser."""
        self._most = most
        self._before: int | None = None
        """Where the partition ended at the first look."""
        self._since_s = 0.0
        self._reached = 0
        self._seen: list[tuple[int, float]] = []
        """Where it ended, and the look that first saw that: both rise."""

    def waited_s(self, *, position: int, end: int, now_s: float, taken_age_s: float | None) -> float:
        """How long, at least, the record at `position` has waited, in seconds; 0 where it is yet to come.

        end: the offset that the next record will get. taken_age_s: how old the record is that was taken last, None
        where none was.
        """
        if self._before is None:
            self._before, self._since_s, self._reached = end, now_s, end
        if end > self._reached:
            self._reached = end
            self._seen.append((end, now_s))
        self._seen = [look for look in self._seen if look[0] > position]
        if len(self._seen) > self._most:
            del self._seen[1::2]
        if position >= end:
            return 0.0
        if position < self._before:
            return max(now_s - self._since_s, taken_age_s or 0.0)
        return now_s - self._seen[0][1] if self._seen else 0.0
