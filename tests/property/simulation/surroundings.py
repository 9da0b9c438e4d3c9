"""What all processes share: the topic, the log, the store, the time, and what was promised to the producers."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp

from shared.events.images import SourcePosition
from shared.events.operations import Operation, OperationBatch
from tests.fakes.features_topic import FeaturesTopic
from tests.fakes.replication_log import FakeLog
from tests.property.simulation.clocks import TimeOfDay, WallClock
from tests.property.simulation.store import UnreliableStore
from tests.property.simulation.truth import Divergence, Truth

SHARD = 0


class Surroundings:
    """rng: decides what no step of the story says. folder: for what the processes keep on their disks.

    written_at: offset → when it was written. receipts: offset → when its receipt was sent. rejected: the upload events
    that were rejected. calm: nothing is lost. disk_full: no segment can be built.
    """

    def __init__(self, rng: random.Random, folder: Path) -> None:
        self.rng = rng
        self.folder = folder
        self.now_ms = TimeOfDay()
        self.extractor_clock = WallClock(self.now_ms)
        self.topic = FeaturesTopic()
        self.written_at: list[int] = []
        self.truth = Truth()
        self.log = FakeLog()
        self.store = UnreliableStore(self.now_ms)
        self.committed: dict[int, int] = {}
        self.receipts: dict[int, float] = {}
        self.rejected: set[SourcePosition] = set()
        self.calm = False
        self.disk_full = False
        self.claimed_by = ""
        self.log.loses_publish = lambda: not self.calm and rng.random() < 0.15
        self.log.loses_answer = lambda: not self.calm and rng.random() < 0.05
        self.log.on_append = self._accepted
        self._claim = self.log.claim
        self.log.claim = self._watched_claim  # type: ignore[method-assign]

    def disk(self) -> Path:
        """An empty folder of one machine."""
        return Path(mkdtemp(dir=self.folder))

    def write_operation(self, operation: Operation) -> None:
        self.topic.now_ms = self.extractor_clock()
        self.topic.write(operation)
        self._written()

    def write_record(self, *, key: bytes, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> None:
        self.topic.now_ms = self.extractor_clock()
        self.topic.append(key=key, value=value, headers=headers)
        self._written()

    def acknowledged(self, position: int) -> None:
        self.receipts.setdefault(position, asyncio.get_running_loop().time())

    @property
    def unanswered(self) -> set[int]:
        """The operations of which neither a receipt nor a reject tells."""
        rejected = {offset for offset, source in self.truth.foreign.items() if source in self.rejected}
        return set(range(self.topic.end)) - self.receipts.keys() - rejected

    async def work(self) -> None:
        """Take a while, as everything does."""
        await asyncio.sleep(self.rng.uniform(0, 0.02))

    def _written(self) -> None:
        self.truth.add(self.topic.newest())
        self.written_at.append(self.now_ms())

    async def _watched_claim(self, shard: int, *, incarnation: str, epoch: str, head_if_new: int) -> int:
        head = await self._claim(shard, incarnation=incarnation, epoch=epoch, head_if_new=head_if_new)
        self.claimed_by = epoch
        return head

    def _accepted(self, shard: int, batch: OperationBatch, epoch: str) -> None:
        if epoch != self.claimed_by:
            raise Divergence(f"an append under {epoch} was accepted after {self.claimed_by} had claimed the shard")
