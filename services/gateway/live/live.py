"""What the live page is made of, and the tasks that keep it up to date."""

import asyncio

from services.gateway.live.arrivals import Arrivals
from services.gateway.live.hearing import Hear
from services.gateway.live.progress import Ask, ProgressWatch
from services.gateway.live.rates import RecentSearches
from shared.bus.cluster import ClusterError
from shared.bus.faults import BusUnavailable
from shared.runtime.background import BackgroundTasks
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_RETRY_S = 1.0


class Live:
    """hearing: whether what becomes searchable is heard; not yet, or not again, where Kafka cannot be reached."""

    def __init__(self, hear: Hear, ask: Ask) -> None:
        self._hear = hear
        self.arrivals = Arrivals()
        self.searches = RecentSearches()
        self.progress = ProgressWatch(ask)
        self.hearing = False

    def start(self, tasks: BackgroundTasks) -> None:
        tasks.spawn(self._listen(), name="arrivals")
        tasks.spawn(self.progress.run(), name="progress")

    async def _listen(self) -> None:
        while True:
            try:
                async with self._hear(self.arrivals.add):
                    self.hearing = True
                    await asyncio.Event().wait()
            except (BusUnavailable, ClusterError) as error:
                log.debug("waiting_for_receipts", error=str(error), retry_in_s=_RETRY_S)
                self.hearing = False
                await asyncio.sleep(_RETRY_S)
