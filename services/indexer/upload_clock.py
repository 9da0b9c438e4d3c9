"""The time, as far as the uploads confirm it: what is deleted by the clock must not hang on one clock alone."""

from collections.abc import Callable


class UploadClock:
    """Tells the newest upload's time, and how long ago that was heard; never more than the clock of this machine.

    So a clock that jumps ahead moves nothing: uploads do not jump with it, and between them a clock that cannot be set
    counts. A producer whose clock is ahead is not believed more than this machine's.

    now_ms: Unix milliseconds, which may jump. monotonic: seconds, which never do.
    """

    def __init__(self, *, now_ms: Callable[[], int], monotonic: Callable[[], float]) -> None:
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._uploaded_at = 0
        self._heard_at = 0.0

    def hear(self, uploaded_at: int) -> None:
        """Take note of the time of an upload, in Unix milliseconds."""
        believed = min(uploaded_at, self._now_ms())
        if believed > self._carried_on():
            self._uploaded_at, self._heard_at = believed, self._monotonic()

    def now_ms(self) -> int:
        """Unix milliseconds; a time long ago before the first upload is heard of."""
        return min(self._now_ms(), self._carried_on())

    def _carried_on(self) -> int:
        if not self._uploaded_at:
            return 0
        return self._uploaded_at + int(1000 * (self._monotonic() - self._heard_at))
