"""Stopping when rejects look like this deployment's own fault, before they go through the whole topic."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NoReturn

from shared.bus.flow import LeftForLater
from shared.events.faults import RejectReason
from shared.runtime.logging import get_logger

log = get_logger(__name__)

CHECK: Mapping[RejectReason, str] = MappingProxyType(
    {
        RejectReason.UNSUPPORTED_VERSION: "whether these workers are older than the producers",
        RejectReason.URI_NOT_ALLOWED: "AFTERIMAGE_FILE_ROOTS and AFTERIMAGE_FETCH_PRIVATE",
        RejectReason.NOT_FOUND: "that the folders of AFTERIMAGE_FILE_ROOTS are mounted, and the AWS_* credentials",
        RejectReason.FETCH_FAILED: "the network, and AWS_ENDPOINT_URL",
        RejectReason.DECODE_TIMEOUT: "the CPU time that the worker is given",
        RejectReason.TOO_MUCH_MEMORY: "the memory that the worker is given",
        RejectReason.DECODER_CRASHED: "the memory that the worker is given, and its libraries",
        RejectReason.ENCODE_FAILED: "AFTERIMAGE_ENCODER and AFTERIMAGE_ENCODER_WEIGHTS",
    }
)
"""The reasons that count, which a wrong setting can give to every upload, and what to look at.

The others lie in the event or the image itself, whatever the deployment: a producer of nothing but damaged files
stops nobody.
"""

WINDOW = 2_000
"""The ratio is taken over so many uploads."""


class RejectLimitReached(LeftForLater):
    """One more reject is not to be written: the event waits for the repair."""


class RejectLimit:
    """Judges each reject by what became of the uploads before it. A restart begins to count anew.

    Counted are uploads that were encoded, and rejects with a reason in `CHECK`.

    max_consecutive: most rejects without an image encoded in between. max_ratio: the largest share of rejects in the
    last `WINDOW` uploads, looked at when there were as many. 0 turns a limit off. stop: ends the worker.
    """

    def __init__(self, *, max_consecutive: int, max_ratio: float, stop: Callable[[], None]) -> None:
        self._max_consecutive = max_consecutive
        self._max_ratio = max_ratio
        self._stop = stop
        self._reached = False
        self._consecutive: Counter[RejectReason] = Counter()
        self._window: deque[RejectReason | None] = deque(maxlen=WINDOW)
        self._rejected: Counter[RejectReason] = Counter()
        """What the window holds."""

    def encoded(self) -> None:
        self._consecutive.clear()
        self._note(None)

    def reject(self, reason: RejectReason) -> None:
        """Call before a reject is written. Raises RejectLimitReached where it may not be."""
        if reason not in CHECK:
            return
        if self._reached:
            raise RejectLimitReached
        if 0 < self._max_consecutive <= self._consecutive.total():
            what = f"{self._consecutive.total()} uploads in a row were rejected and none was encoded"
            self._end(self._consecutive, f"{what} (EXTRACTOR_MAX_CONSECUTIVE_REJECTS={self._max_consecutive})")
        if 0 < self._max_ratio <= self._ratio():
            what = f"{self._rejected.total()} of the last {WINDOW} uploads were rejected"
            self._end(self._rejected, f"{what} (EXTRACTOR_MAX_REJECT_RATIO={self._max_ratio:g})")
        self._consecutive[reason] += 1
        self._note(reason)

    def _ratio(self) -> float:
        return self._rejected.total() / WINDOW if len(self._window) == WINDOW else 0.0

    def _note(self, reason: RejectReason | None) -> None:
        if len(self._window) == WINDOW and (oldest := self._window[0]):
            self._rejected[oldest] -= 1
        self._window.append(reason)
        if reason:
            self._rejected[reason] += 1

    def _end(self, counted: Counter[RejectReason], what: str) -> NoReturn:
        self._reached = True
        reasons = {reason: count for reason, count in counted.most_common() if count}
        options = " ".join(f"--reason {reason}" for reason in reasons)
        log.critical(
            "reject_limit_reached",
            what=f"{what}: this looks like a fault of the deployment, and the worker stops",
            rejected={reason.value: count for reason, count in reasons.items()},
            check="; ".join(CHECK[reason] for reason in reasons),
            then=f"start the worker again, which begins to count anew, and run `afterimage redrive {options}`",
        )
        self._stop()
        raise RejectLimitReached
