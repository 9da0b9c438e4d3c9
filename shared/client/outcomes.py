"""What became of each event that was sent: receipts and rejects, matched to those who wait."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from shared.events.images import SourcePosition
from shared.events.receipts import Receipt
from shared.events.rejects import Reject

_REMEMBERED = 10_000
_EXPECTED = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """heard_at: the loop's clock, in seconds."""

    fact: Receipt | Reject
    heard_at: float


class Outcomes:
    """Every event has exactly one outcome, known by the position of the event.

    Memory is bounded: an outcome that nobody expects is kept only a while, for it may come before the producer has
    told where the event stands.
    """

    def __init__(self) -> None:
        self._expected: OrderedDict[SourcePosition, asyncio.Future[Outcome]] = OrderedDict()
        self._recent: OrderedDict[SourcePosition, Outcome] = OrderedDict()

    def expect(self, source: SourcePosition) -> asyncio.Future[Outcome]:
        """The future outcome of the event at `source`; the same for all who expect it."""
        if source in self._expected:
            return self._expected[source]
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        known = self._recent.pop(source, None)
        if known is not None:
            future.set_result(known)
            return future
        self._expected[source] = future
        if len(self._expected) > _EXPECTED:
            self._expected.popitem(last=False)  # whoever waits for it finds that it takes too long
        return future

    def forget(self, source: SourcePosition) -> None:
        """What was heard of the event at `source` is over: it is sent through again."""
        self._recent.pop(source, None)

    def heard(self, fact: Receipt | Reject, *, at: float | None = None) -> None:
        """at: by the loop's clock; now, if not said."""
        outcome = Outcome(fact, asyncio.get_running_loop().time() if at is None else at)
        waiting = self._expected.pop(fact.source, None)
        if waiting is not None:
            if not waiting.done():
                waiting.set_result(outcome)
            return
        self._recent[fact.source] = outcome
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
